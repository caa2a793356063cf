/**
 * What is used of `node:http`. An `import` of it makes Node evaluate its whole public face, HTTP/2 and a web client with their
 * WebAssembly too: 16 MB and 60 ms more in each thread that does so (Node 26). Types may be imported as usual.
 */
export const { createServer, METHODS, STATUS_CODES } = process.getBuiltinModule('node:http');
