// The command line sets the culture and the number of threads of the whole process, and reads its standard input.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
