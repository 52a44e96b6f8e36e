import { Logger, makeWorkerUtils, run } from "graphile-worker";
import pg from "pg";

const logger = new Logger(() => (level, message) => {
  if (level === "error") console.error(message);
});
const task = "noop";

function connect(connectionString, max) {
  const pool = new pg.Pool({ connectionString, max });
  pool.on("error", console.error);
  pool.on("connect", (client) => client.on("error", console.error));
  return pool;
}

/** The submitting side. At most 48 connections: the server takes 80, and the worker needs its own. */
export async function open({ connection }, clients) {
  const pool = connect(connection, Math.min(clients, 48));
  const utils = await makeWorkerUtils({ pgPool: pool, logger });
  await utils.migrate();
  return {
    submit: (body) => utils.addJob(task, body),
    submitMany: (bodies) => utils.addJobs(bodies.map((body) => ({ identifier: task, payload: body }))),
    async close() {
      await utils.release();
      await pool.end();
    },
  };
}

export async function empty({ connection }) {
  const client = new pg.Client({ connectionString: connection });
  await client.connect();
  await client.query("drop schema if exists graphile_worker cascade");
  await client.end();
}

/**
 * The working side, 64 at once. For latency as it comes; for throughput with the local queue and the batched completion
 * that its documentation recommends for speed.
 */
export async function work({ connection, fast }, onStart, onDone) {
  const pool = connect(connection, 20);
  const speed = fast ? { localQueue: { size: 512 }, completeJobBatchDelay: 0, failJobBatchDelay: 0 } : {};
  const runner = await run({
    pgPool: pool,
    logger,
    noHandleSignals: true,
    concurrency: 64,
    preset: { worker: { concurrentJobs: 64, ...speed } },
    taskList: { [task]: (body) => onStart(body.sequence) },
  });
  runner.events.on("job:complete", ({ job }) => onDone(job.payload.sequence));
  runner.events.on("job:error", ({ error }) => console.error(error));
  return async () => {
    await runner.stop();
    await pool.end();
  };
}
