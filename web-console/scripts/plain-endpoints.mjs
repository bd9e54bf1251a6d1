import { endpoints, eventEndpoints } from '@starling/protocol/api';

const tables = {
  '/protocol/dist/api/endpoints.js': { endpoints },
  '/protocol/dist/api/events.js': { eventEndpoints },
};

/**
 * Leaves of the tables of operations the method, path and least role: a page calls operations by these, and the server
 * checks what travels. It spares the page the schemas, and the library that builds them.
 */
export function plainEndpoints() {
  return {
    name: 'plain-endpoints',
    load(id) {
      const file = Object.keys(tables).find((end) => id.endsWith(end));
      if (file === undefined) return null;
      return Object.entries(tables[file])
        .map(([name, table]) => `export const ${name} = ${JSON.stringify(plain(table))};`)
        .join('\n');
    },
  };
}

function plain(table) {
  return Object.fromEntries(
    Object.entries(table).map(([operation, { method, path, role }]) => [operation, { method, path, role }]),
  );
}
