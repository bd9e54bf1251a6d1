-- When a round entered its phases: how long each took is told when it has ended.
alter table rounds add column training_at timestamptz;
alter table rounds add column aggregating_at timestamptz;
