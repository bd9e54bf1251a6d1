/** One case in a process of its own: node run-case.js NAME prints its lines. */
import { cases } from './cases.ts';

const name = process.argv[2] ?? '';
const work = cases[name];
if (!work) throw new Error(`"${name}" is no case; expected one of ${Object.keys(cases).join(', ')}.`);
await work((line) => {
  console.log(JSON.stringify(line));
});
