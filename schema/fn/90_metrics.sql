-- What /metrics asks at a scrape. Every part reads an index over what waits, never the whole history.
create or replace function hl.metric(of_name text, help text, samples jsonb) returns jsonb language sql immutable as
$$ select jsonb_build_object('name', of_name, 'help', help, 'samples', coalesce(samples, '[]')) $$;

create or replace function hl.metrics(batch jsonb) returns jsonb language sql stable as $$
  with waiting as (
    select l.name, count(n.id) as depth,
           greatest(0, coalesce(extract(epoch from hl.now() - min(n.not_before)), 0)) as oldest
    from hl.lane l left join hl.notice n on n.lane = l.rank and n.state = 'queued'
    group by l.name),
  -- The newest decisions, however many a day brings: what operators say of a case comes later and counts then.
  decided as (
    select count(*) as n, count(*) filter (where d.route in ('review', 'no_contact')) as unsure,
           count(*) filter (where c.type <> d.type or c.state = 'not_accepted' and d.route <> 'not_accepted') as corrected
    from (select d.case_id, d.type, d.route from hl.decision d order by d.message_id desc limit 1000) d
    join lateral (select c.type, c.state from hl.case c where c.id = d.case_id offset 0) c on true)
  select jsonb_build_object('rows', jsonb_build_array(
    hl.metric('notices_queued', 'Notices waiting to be sent, by lane.',
      (select jsonb_agg(jsonb_build_object('labels', format('{lane="%s"}', name), 'value', depth)) from waiting)),
    hl.metric('notice_oldest_seconds', 'Age of the oldest due notice, by lane.',
      (select jsonb_agg(jsonb_build_object('labels', format('{lane="%s"}', name), 'value', oldest)) from waiting)),
    hl.metric('notices_leased', 'Notices on their way, all processes.',
      (select jsonb_build_array(jsonb_build_object('labels', '', 'value', count(*))) from hl.notice where state = 'sending')),
    hl.metric('leases_expired', 'Notices whose lease ran out and that no process has taken over yet.',
      (select jsonb_build_array(jsonb_build_object('labels', '', 'value', count(*))) from hl.notice
       where state = 'sending' and lease_until < clock_timestamp())),
    hl.metric('notices_unknown', 'Notices whose outcome is unknown and not resent.',
      (select jsonb_build_array(jsonb_build_object('labels', '', 'value', count(*)))
       from hl.notice where state = 'unknown' and not is_resend)),
    hl.metric('ladders_overdue', 'Ladders whose rung is due and not fired.',
      (select jsonb_build_array(jsonb_build_object('labels', '', 'value', count(*))) from hl.ladder where due_at <= (select hl.now()))),
    hl.metric('messages_pending', 'Messages committed and not yet decided on.',
      (select jsonb_build_array(jsonb_build_object('labels', '', 'value', count(*))) from hl.message where state = 'pending')),
    hl.metric('cases_in_review', 'Cases that wait for an operator.',
      (select jsonb_build_array(jsonb_build_object('labels', '', 'value', count(*)))
       from hl.case where state in ('review', 'reopened'))),
    hl.metric('decisions_window', 'Newest classing decisions that the shares below are of, 1000 at most.',
      (select jsonb_build_array(jsonb_build_object('labels', '', 'value', n)) from decided)),
    hl.metric('decisions_review_share', 'Share of them that needed an operator.',
      (select jsonb_build_array(jsonb_build_object('labels', '', 'value', unsure / greatest(n, 1)::float)) from decided)),
    hl.metric('decisions_corrected_share', 'Share of them whose case type an operator changed since.',
      (select jsonb_build_array(jsonb_build_object('labels', '', 'value', corrected / greatest(n, 1)::float)) from decided))) || hl.call_metrics())
$$;
