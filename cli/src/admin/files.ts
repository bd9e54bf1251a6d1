import { readFile } from 'node:fs/promises';

/** The JSON of a file, or of standard input for `-`. Throws an Error that names the file. */
export async function readJson<T extends object>(file: string): Promise<T> {
  const text = file === '-' ? await readStandardInput() : await readFile(file, 'utf8');
  try {
    const json: unknown = JSON.parse(text);
    if (typeof json === 'object' && json !== null) return json as T; // the server checks what is in it
  } catch (cause) {
    throw new Error(`${file} is not JSON.`, { cause });
  }
  throw new Error(`${file} holds no JSON object.`);
}

async function readStandardInput(): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of process.stdin) chunks.push(chunk as Uint8Array);
  return Buffer.concat(chunks).toString('utf8');
}
