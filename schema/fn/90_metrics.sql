-- What /metrics asks at a scrape. Every part reads an index over what waits, never the whole history.
create or replace function hl.metric(of_name text, help text, samples jsonb) returns jsonb language sql immutable as
$$ select jsonb_build_object('name', of_name, 'help', help, 'samples', coalesce(samples, '[]')) $$;

create or replace function hl.metrics(batch jsonb) returns jsonb language sql stable as $$
  with waiting as (
    select l.name, count(n.id) as depth,
           greatest(0, coalesce(extract(epoch from hl.now() - min(n.not_before)), 0)) as oldest
    from hl.lane l left join hl.notice n on n.lane = l.rank and n.state = 'queued'
    group by l.name)
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
       from hl.case where state in ('review', 'reopened')))) || hl.call_metrics())
$$;
