import type { Messages } from '../index.tsx';

export const tasks: Messages['tasks'] = {
  title: '任务',
  lead: '任务是一次学习：一个模型、一份计划，以及谁可以参与的规则。',
  create: '新建任务',
  empty: '还没有任务',
  emptyHint: '从模板开始，先看它需要什么，再在设备群上启动。',
  emptyViewer: '本项目的操作员可以新建任务。',
  column: {
    name: '名称',
    state: '状态',
    progress: '轮次',
    algorithm: '算法',
    secure: '更新',
    updated: '更改时间',
  },
  masked: '已掩码',
  clear: '明文',
  rounds: '{done, number} / {all, number}',
  search: '按名称查找',
  anyState: '任何状态',
  state: '状态',
  noneFound: '没有符合的任务',
  noneFoundHint: '换一个名称，或选择任何状态。',
  compare: '对比',
};
