-- 0021_evidence: a result that says the report was not true has nothing to prove.

create or replace function hl.check_result() returns trigger language plpgsql as $$
declare missing text;
begin
  if new.state = 'done' and old.state <> 'done' and new.role = 'lead' then
    select d into missing from hl.case c join hl.case_type t on t.code = c.type cross join unnest(t.demands) d
      where c.id = new.case_id and coalesce(new.facts->>d, '') = ''
        and not (d = 'evidence' and (new.facts->>'is_true' = 'false'
                                     or exists (select from hl.event e where e.case_id = c.id and e.kind = 'photo')))
      limit 1;
    if missing is not null then
      raise exception 'result_%: a result of this type must say it', missing using errcode = 'P0140';
    end if;
    if new.facts->>'solved' = 'false' and coalesce(new.facts->>'why_not', new.result, '') = '' then
      raise exception 'result_why_not: what is not solved needs a reason' using errcode = 'P0140';
    end if;
  end if;
  return new;
end $$;

-- Functions of schema/fn that went.
drop function if exists hl.is_reachable(bigint, text);
