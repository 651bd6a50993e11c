// node peer.js DIALS VENDOR, with PGURL: an empty database. Prints dials a second.
const { run, makeWorkerUtils, Logger } = require("graphile-worker");
const { Pool } = require("pg");
const undici = require("undici");

const dials = Number(process.argv[2]);
const vendor = new URL(process.argv[3]);
const concurrency = 64;

(async () => {
  const pool = new Pool({ connectionString: process.env.PGURL, max: 20 });
  pool.on("error", (error) => { throw error; });
  const utils = await makeWorkerUtils({ pgPool: pool });
  await utils.migrate();
  await pool.query("CREATE TABLE people (id bigint PRIMARY KEY, phone text, state text, call_id text UNIQUE, attempts int DEFAULT 0)");
  await pool.query("INSERT INTO people SELECT i, '98' || lpad(i::text, 8, '0'), 'waiting' FROM generate_series(1, $1::int) i", [dials]);
  for (let first = 1; first <= dials; first += 1000) {
    const some = Array.from({ length: Math.min(1000, dials - first + 1) }, (_, place) => first + place);
    await utils.addJobs(some.map((id) => ({ identifier: "dial", payload: { id } })));
  }
  const client = new undici.Pool(vendor.origin, { connections: concurrency });
  const path = `${vendor.pathname}/agent/trigger-outbound-call`;
  const body = JSON.stringify({ agent_id: "a", callee_phone: "9999999999", caller_phone: "9999999999" });
  const ended = `${vendor.pathname}/ended`;
  let done = 0, finish, out = [];
  const finished = new Promise((resolve) => { finish = resolve; });
  const begun = process.hrtime.bigint();
  const runner = await run({
    pgPool: pool,
    noHandleSignals: true,
    pollInterval: 1000,
    logger: new Logger(() => () => {}),
    preset: { worker: { concurrentJobs: concurrency, localQueue: { size: concurrency * 4 }, completeJobBatchDelay: 0, failJobBatchDelay: 0 } },
    taskList: {
      dial: async (job, helpers) => {
        const answer = await client.request({ path, method: "POST", headers: { "content-type": "application/json" }, body });
        const { call_id: call } = await answer.body.json();
        await helpers.query("UPDATE people SET state = $1, call_id = $2, attempts = attempts + 1 WHERE id = $3", ["placed", call, job.id]);
        out.push(call);
      },
    },
  });
  // What became of the calls, many with one question.
  (async () => {
    while (done < dials) {
      const asked = out.splice(0, 500);
      if (asked.length === 0) { await new Promise((again) => setTimeout(again, 5)); continue; }
      const answer = await client.request({ path: ended, method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(asked) });
      const over = await answer.body.json();
      await pool.query("UPDATE people SET state = 'ended' WHERE call_id = ANY ($1)", [over]);
      done += over.length;
    }
    finish();
  })();
  await finished;
  console.log((dials / (Number(process.hrtime.bigint() - begun) / 1e9)).toFixed(0));
  await runner.stop();
  await pool.end();
  process.exit(0);
})();
