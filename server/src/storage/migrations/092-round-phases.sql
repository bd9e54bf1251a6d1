-- When a round began to train and to aggregate: what a person who watches it sees on its axis of time.
alter table rounds add column training_at timestamptz;
alter table rounds add column aggregating_at timestamptz;
