//! The scenarios on SQLite.

mod common;

use common::{World, scenarios};

macro_rules! tests {
    ($($name:ident),* $(,)?) => {$(
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $name() {
            scenarios::$name(World::new(None).await).await;
        }
    )*};
}

for_each_scenario!(tests);
