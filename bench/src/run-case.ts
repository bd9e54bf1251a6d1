/** One case in a process of its own: node run-case.js BENCH NAME [OPTIONS as JSON] prints its lines. */
import { benches, type CaseOptions } from './benches.ts';

const [bench = '', name = '', options = '{}'] = process.argv.slice(2);
const cases = benches[bench] ?? {};
const work = cases[name];
if (!work)
  throw new Error(`"${bench} ${name}" is no case; expected one of ${Object.keys(cases).join(', ')}.`);
await work(
  (line) => {
    console.log(JSON.stringify(line));
  },
  JSON.parse(options) as CaseOptions, // a process of ours wrote it
);
