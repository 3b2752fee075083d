-- What a resident's words may mean when several compounds have that name: kept with the case, so that the answer to the
-- question ("the one on the second road") can be read.
alter type hl.intake_item add attribute maybe jsonb; -- {"codes": [of compounds], "list": as they are named in the question}

alter table hl.case add column maybe text[];
alter table hl.case add constraint case_is_one_of_several check (maybe is null or cardinality(maybe) >= 2);
