-- What a replay of limits reads (daemon/casework/replay.c).

-- Histories of cases that have tasks: all that gave a task its limits, and the rungs that were fired.
-- Takes  {"since": us, "after": id of the last case, "limit": n}, or {"tasks": [ids]}: the cases of these.
-- Gives  {"cases": [{id, case, type, tasks, events}], "last": id or null}; type is the one it has now, for histories that do
--        not say an earlier one.
create or replace function hl.limit_history(batch jsonb) returns jsonb language sql stable as $$
  with chosen as (
    select c.id, c.code, c.type from hl.case c
    where case when batch ? 'tasks'
            then c.id in (select k.case_id from jsonb_array_elements_text(batch->'tasks') t join hl.task k on k.id = t::bigint)
            else c.id > coalesce((batch->>'after')::bigint, 0) and c.opened_at >= hl.at_us((batch->>'since')::bigint)
              and exists (select from hl.task k where k.case_id = c.id) end
    order by c.id limit coalesce((batch->>'limit')::int, 2147483647))
  select jsonb_build_object('last', max(h.id), 'cases', coalesce(jsonb_agg(jsonb_build_object('id', h.id, 'case', h.code, 'type', h.type,
    'tasks', (select coalesce(jsonb_agg(jsonb_build_object('task', k.id, 'unit', k.unit, 'role', k.role, 'urgency', k.urgency,
                'from_us', hl.us(k.assigned_at)) order by k.id), '[]') from hl.task k where k.case_id = h.id),
    'events', (select coalesce(jsonb_agg(jsonb_build_object('seq', e.seq, 'at_us', hl.us(e.at), 'kind', e.kind, 'task', e.task_id,
                 'data', e.data) order by e.seq), '[]')
               from hl.event e where e.case_id = h.id
                 and case when e.task_id is null then e.kind in ('opened', 'assigned', 'reassigned', 'waiting', 'resumed')
                          else e.data ? 'close_by' or e.kind = 'rung' end))
    order by h.id), '[]')) from chosen h
$$;
