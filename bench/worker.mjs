// Runs the guest under Node's node:wasi, over and over.
//
//     node worker.mjs GUEST.wasm FOLDER
//
// Requests and answers are those of worker.py.
//
// SPDX-License-Identifier: MIT
import { readFileSync, writeSync } from "node:fs";
import { createInterface } from "node:readline";
import { WASI } from "node:wasi";

const [path, folder] = process.argv.slice(2);
const module = await WebAssembly.compile(readFileSync(path));
const env = { LANG: "C.UTF-8", HOME: "/", BENCH: "1" };

async function run({ args }) {
  const wasi = new WASI({
    version: "preview1",
    args,
    env,
    preopens: { "/": folder },
    returnOnExit: true,
  });
  const imports = wasi.getImportObject();
  return wasi.start(await WebAssembly.instantiate(module, imports)) ?? 0;
}

for await (const line of createInterface({ input: process.stdin })) {
  let answer;
  try {
    answer = `done ${await run(JSON.parse(line))}`;
  } catch (error) {
    answer = `failed ${String(error).replaceAll(/\s+/g, " ")}`;
  }
  writeSync(1, answer + "\n");
}
