// The tests share one tiny run; the engine's threads are better spent on one test at a time.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
