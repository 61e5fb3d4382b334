// Live native tensors are counted over the whole process.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
