//! One run, in a thread and on runtimes of its own.

use ringfence_domain::LaneState;
use tokio::runtime::Handle;

use crate::operation::{Operation, are_calm};
use crate::rows::{AtRest, rows_agree};
use crate::world::World;

/// The vendors, of which the seed takes one.
const VENDORS: [&str; 4] = ["twenty2", "knovvu", "unleashx", "iqra"];

/// What came of a run.
#[derive(Debug)]
pub struct Ran {
    /// The promise that was broken, and after which operation; none when all held.
    pub broken: Option<(usize, String)>,
    /// Calls that the vendor placed.
    pub calls: usize,
    /// All that happened, by the vendor's tape and the rows.
    pub log: String,
}

/// Lets these operations happen one after the other, and then lets the world come to rest. `seed`:
/// which vendor is called through, and how calls end. All other chance is that of [`crate::begin`].
pub fn run(operations: Vec<Operation>, seed: u64) -> Ran {
    let kind = VENDORS[(seed % VENDORS.len() as u64) as usize];
    let thread = std::thread::Builder::new().name("world".to_owned());
    let playing = thread.spawn(move || {
        let database = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let database = database.expect("a runtime");
        let mut world = tokio::runtime::Builder::new_current_thread();
        let world = world.enable_all().start_paused(true).build().expect("a runtime");
        let ran = world.block_on(play(database.handle().clone(), kind, seed, &operations));
        // Tasks of processes that died wait for ever.
        world.shutdown_background();
        database.shutdown_background();
        ran
    });
    playing.expect("a thread").join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

async fn play(runtime: Handle, kind: &'static str, seed: u64, operations: &[Operation]) -> Ran {
    let mut world = World::begin(runtime, kind, seed).await;
    let mut broken = None;
    for (nth, operation) in operations.iter().enumerate() {
        world.happen(*operation).await;
        if let Err(what) = look(&mut world).await {
            broken = Some((nth, what));
            break;
        }
    }
    let mut log = String::new();
    if broken.is_none() {
        match end(&mut world, are_calm(operations)).await {
            Ok(rows) => log = rows,
            Err(what) => broken = Some((operations.len(), what)),
        }
    }
    let calls = world.simulator.tape().calls();
    for entry in world.simulator.tape().entries() {
        log.push_str(&format!("{} {:?} {} {:?}\n", entry.at, entry.event, entry.callee, entry.outcome));
    }
    Ran { broken, calls: calls.len(), log }
}

async fn look(world: &mut World) -> Result<(), String> {
    let calls = world.simulator.tape().calls();
    world.known.look_at(&calls)?;
    let lanes = world.store.lanes().await.map_err(|error| error.to_string())?;
    if lanes.iter().any(|lane| lane.state == LaneState::Paused) {
        // The vendor refused the account: nobody is called before a person opens the lane again.
        let now = world.now();
        world.known.lane_paused.begin(now);
    }
    rows_agree(&world.store, world.campaign.run, world.known.people).await
}

async fn end(world: &mut World, is_calm: bool) -> Result<String, String> {
    world.come_to_rest().await?;
    look(world).await?;
    let calls = world.simulator.tape().calls();
    AtRest { known: &world.known, calls: &calls, is_calm }.holds(&world.store, world.campaign.run).await
}
