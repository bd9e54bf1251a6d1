-- What a device said of its network when it last signed in; null: it did not say.
alter table devices add column network text check (network in ('unmetered', 'metered'));
