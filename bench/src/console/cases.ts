import type { Cases } from '../benches.ts';
import { benchPages } from './pages.ts';

export const consoleCases: Cases = { pages: benchPages };
