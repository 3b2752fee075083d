-- 0021_same_text: what makes two texts equal for a provider.

-- The parameters that show in a template's text: two notices that differ in others only are one text to a provider. A time
-- shows to the minute.
create table hl.template_param (
  template text not null,
  lang     text not null,
  name     text not null,
  is_time  boolean not null,
  primary key (template, lang, name)
);
grant select on hl.template_param to hotline_daemon, hotline_reader;
