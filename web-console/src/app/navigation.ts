import type { Operation } from '@starling/protocol/api';
import {
  IconActivityHeartbeat,
  IconBrain,
  IconChecklist,
  IconCloudComputing,
  IconDeviceMobile,
  IconHistory,
  IconKey,
  IconLayoutDashboard,
  type Icon,
} from '@tabler/icons-react';

interface Section {
  readonly to: string;
  readonly name: 'fleet' | 'tasks' | 'models' | 'devices' | 'jobs' | 'access' | 'audit' | 'operations';
  readonly icon: Icon;
  /** Shown to those who may call this. */
  readonly needs: Operation;
  /** Other places that belong to it. */
  readonly also: readonly string[];
}

/** The places of the console, in the order of the menu. */
export const sections: readonly Section[] = [
  { to: '/', name: 'fleet', icon: IconLayoutDashboard, needs: 'listDevices', also: [] },
  { to: '/tasks', name: 'tasks', icon: IconChecklist, needs: 'listTasks', also: ['/rounds', '/compare'] },
  { to: '/models', name: 'models', icon: IconBrain, needs: 'listModels', also: ['/versions'] },
  { to: '/devices', name: 'devices', icon: IconDeviceMobile, needs: 'listDevices', also: [] },
  { to: '/jobs', name: 'jobs', icon: IconCloudComputing, needs: 'listJobs', also: [] },
  { to: '/access', name: 'access', icon: IconKey, needs: 'listKeys', also: [] },
  { to: '/audit', name: 'audit', icon: IconHistory, needs: 'listAudit', also: [] },
  { to: '/operations', name: 'operations', icon: IconActivityHeartbeat, needs: 'getOperations', also: [] },
];
