-- 0029_hello: the answer to hello holds two megabytes of documents; as json they are written once, as jsonb four times.
-- hl.hello is made by schema/fn again, which cannot change what a function returns.

drop function if exists hl.hello(jsonb);
