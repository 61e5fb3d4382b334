using System.Globalization;
using LlmStageAudit.Benchmarks.Commands;
using LlmStageAudit.Benchmarks.LongRuns;

namespace LlmStageAudit.Benchmarks.Determinism;

/// <summary>The same run again in other processes, and under other engines: which bytes stay and how far results move.</summary>
internal static class DeterminismBenchmark
{
    private const int Repeats = 5;
    private const int ProcessesAtATime = 4;

    /// <summary>What a change of engine may move at most, relative to the length of the state or of the effects.</summary>
    private const double Bound = 1e-4;

    private static readonly (string Name, string Optimizer, string Model, string Adapter, int? MicroBatch)[] s_settings =
    [
        ("SGD", AuditWorkspace.Sgd, Classification, "r: 2, alpha: 4", null),
        ("AdamW", AuditWorkspace.AdamW, Classification, "r: 2, alpha: 4", null),
        ("AdamW, dropout 0.1", AuditWorkspace.AdamW, Classification, "r: 2, alpha: 4, dropout: 0.1", null),
        ("AdamW, bfloat16 base", AuditWorkspace.AdamW, Classification + ", dtype: bfloat16", "r: 2, alpha: 4", null),
        ("AdamW, micro-batches of 3", AuditWorkspace.AdamW, Classification, "r: 2, alpha: 4", 3),
        ("AdamW, causal language model", AuditWorkspace.AdamW, "task: causal-lm", "r: 2, alpha: 4", null),
    ];

    private static readonly string[] s_oneThread = ["--threads", "1"];

    private const string Classification = "task: sequence-classification, labels: 2";

    public static void Run()
    {
        using var workspace = new AuditWorkspace(hidden: 64, layers: 2, rows: 120, shortest: 4, longest: 32);
        var results = new ResultFile("determinism", "The same run again, and under other engines");
        Again(workspace, results);
        var doctor = BuiltCommand.Succeed("doctor", "--json").Json;
        Elsewhere(workspace, results);
        results.Paragraph(
            "Only one version of libtorch was at hand, so none of this says how far another version moves results. A run's manifest records its engine: version "
            + "of libtorch, threads within and between operators, device, system, processor, vector instructions, BLAS with its kernel and threads, versions of "
            + "OpenMP, oneDNN and MKL, whether only deterministic operators are allowed, the .NET runtime, and the variables that choose threads or kernels. "
            + "`train --resume`, `attribute`, `rank`, `compare`, `retrain` and `verify-log --replay` name every difference on standard error and claim no bits then; "
            + "a run that was resumed by another engine lists that engine in its manifest.");
        results.Write($"libtorch {doctor.GetProperty("libTorchVersion").GetString()} on the CPU, {doctor.GetProperty("cpuCapability").GetString()}, {doctor.GetProperty("blas").GetString()}");
    }

    private static void Again(AuditWorkspace workspace, ResultFile results)
    {
        var runs = s_settings.Index().SelectMany(setting => Enumerable.Range(0, Repeats).Select(repeat => (Setting: setting, Repeat: repeat))).ToArray();
        foreach (var (index, setting) in s_settings.Index()) Configure(workspace, $"again-{index}", setting);
        var found = AtATime(runs, one =>
        {
            var run = Train(workspace, $"again-{one.Setting.Index}-{one.Repeat}", $"again-{one.Setting.Index}", [], s_oneThread);
            var effects = string.Join(' ', Effects(workspace, run, [], s_oneThread).Select(value => value.ToString("R", CultureInfo.InvariantCulture)));
            return (one.Setting.Index, Hashes: RunFiles.Hashes(run), Effects: effects);
        });
        var rows = s_settings.Index().Select(setting =>
        {
            var same = found.Where(run => run.Index == setting.Index).ToArray();
            var hashes = same.Select(run => run.Hashes).ToList();
            var effects = same.Select(run => run.Effects).Distinct().Count();
            return new[]
            {
                setting.Item.Name, $"{Different(hashes, "state")}", $"{Different(hashes, "trajectory.log")}", $"{effects}", Different(hashes, "") == 1 && effects == 1 ? "yes" : "NO",
            };
        });
        results.Section("Again")
            .Paragraph(
                $"A small GPT-NeoX (2 layers, 64 dimensions), three stages of 15 steps of 8 rows, LoRA; each run {Repeats} times in processes of their own, one thread. How many "
                + "different contents the files of the states (initial and of every stage) and the logs had, by SHA-256, and how many different effects `attribute` printed (exact replay).")
            .Table(["Run", "States", "Logs", "Effects", "The same bytes"], rows);
    }

    private static void Elsewhere(AuditWorkspace workspace, ResultFile results)
    {
        (string Name, (string, string)[] Environment, string[] Arguments, int? MicroBatch)[] engines =
        [
            ("the same again", [], ["--threads", "1"], null),
            ("--threads 2", [], ["--threads", "2"], null),
            ("OMP_NUM_THREADS=1, OPENBLAS_NUM_THREADS=1", [("OMP_NUM_THREADS", "1"), ("OPENBLAS_NUM_THREADS", "1")], [], null),
            ("OMP_NUM_THREADS=2, OPENBLAS_NUM_THREADS=2", [("OMP_NUM_THREADS", "2"), ("OPENBLAS_NUM_THREADS", "2")], [], null),
            ("MKL_NUM_THREADS=2", [("MKL_NUM_THREADS", "2")], ["--threads", "1"], null),
            ("ATEN_CPU_CAPABILITY=default", [("ATEN_CPU_CAPABILITY", "default")], ["--threads", "1"], null),
            ("ATEN_CPU_CAPABILITY=avx2", [("ATEN_CPU_CAPABILITY", "avx2")], ["--threads", "1"], null),
            ("ATEN_CPU_CAPABILITY=avx512", [("ATEN_CPU_CAPABILITY", "avx512")], ["--threads", "1"], null),
            ("OPENBLAS_CORETYPE=Prescott", [("OPENBLAS_CORETYPE", "Prescott")], ["--threads", "1"], null),
            ("OPENBLAS_CORETYPE=SkylakeX", [("OPENBLAS_CORETYPE", "SkylakeX")], ["--threads", "1"], null),
            ("micro-batches of 1", [], ["--threads", "1"], 1),
            ("micro-batches of 3", [], ["--threads", "1"], 3),
            ("micro-batches of 4", [], ["--threads", "1"], 4),
        ];
        var rows = new List<string[]>();
        var worst = 0.0;
        foreach (var (index, setting) in s_settings.Take(2).Index())
        {
            Configure(workspace, $"elsewhere-{index}", setting);
            var reference = Train(workspace, $"reference-{index}", $"elsewhere-{index}", [], s_oneThread);
            var (state, effects) = (FinalState.Read(reference), Effects(workspace, reference, [], s_oneThread));
            foreach (var size in engines.Select(engine => engine.MicroBatch).Distinct()) Configure(workspace, $"micro-{index}-{size}", setting with { MicroBatch = size });
            var found = AtATime(engines.Index().ToArray(), pair =>
            {
                var (place, engine) = pair;
                var run = Train(workspace, $"run-{index}-{place}", $"micro-{index}-{engine.MicroBatch}", engine.Environment, engine.Arguments);
                var replayed = BuiltCommand.Run(Repository.Command, engine.Environment, ["verify-log", reference, "--replay", "5", "--json", .. engine.Arguments]);
                return (State: Relative(state, FinalState.Read(run)), Effects: Relative(effects, Effects(workspace, run, engine.Environment, engine.Arguments)), Replayed: replayed);
            });
            foreach (var (engine, moved) in engines.Zip(found))
            {
                worst = Math.Max(worst, Math.Max(moved.State, moved.Effects));
                rows.Add(
                [
                    $"{setting.Name}: {engine.Name}",
                    Shown(moved.State),
                    Shown(moved.Effects),
                    moved.Replayed.ExitCode == 0 ? Shown(moved.Replayed.Json.GetProperty("worstGradientError").GetDouble()) : $"exit {moved.Replayed.ExitCode}",
                    moved.Replayed.Error.Contains("another engine", StringComparison.Ordinal) ? "yes" : "no",
                ]);
            }
        }

        results.Section("Elsewhere")
            .Paragraph(
                "The same run under other threads, vector instructions and BLAS kernels (a stand-in for other machines) and with other micro-batches, against the run with one thread: "
                + "relative difference ||other - one|| / ||one|| of the final trainable state and of the stages' effects, and the worst relative gradient error that `verify-log --replay 5` "
                + "finds when the other engine checks the run of the first, and whether it says that the engine is another. 0 is to the bit. "
                + $"The bound is {Bound.ToString("0e+0", CultureInfo.InvariantCulture)}; the largest difference of all is {Shown(worst)}{(worst <= Bound ? "" : ", ABOVE THE BOUND")}.")
            .Table(["Run: engine", "State", "Effects", "Replayed gradients", "Said"], rows);
    }

    private static void Configure(AuditWorkspace workspace, string name, (string Name, string Optimizer, string Model, string Adapter, int? MicroBatch) setting) =>
        workspace.Configure(
            name, setting.Optimizer, batchSize: 8, epochs: [1, 1, 1], model: setting.Model, adapter: setting.Adapter, microBatchSize: setting.MicroBatch);

    private static string Train(AuditWorkspace workspace, string run, string configuration, (string, string)[] environment, string[] arguments)
    {
        BuiltCommand.Succeed(environment, ["train", workspace.At(configuration + ".yaml"), "--out", workspace.At(run), .. arguments]);
        return workspace.At(run);
    }

    /// <summary>Nothing here is timed, so that several processes may run beside each other.</summary>
    private static TResult[] AtATime<T, TResult>(T[] items, Func<T, TResult> work) =>
        [.. items.AsParallel().AsOrdered().WithDegreeOfParallelism(ProcessesAtATime).WithExecutionMode(ParallelExecutionMode.ForceParallelism).Select(work)];

    /// <summary>Of the stages in turn, by exact replay.</summary>
    private static double[] Effects(AuditWorkspace workspace, string run, (string, string)[] environment, string[] arguments)
    {
        var isText = File.ReadAllText(Path.Combine(run, "manifest.json")).Contains("\"causal-lm\"", StringComparison.Ordinal);
        var said = BuiltCommand.Succeed(
            environment,
            ["attribute", run, "--probe", workspace.At(isText ? "text.yaml" : "probe.yaml"), "--json", .. arguments]);
        return [.. said.Json.GetProperty("effects").EnumerateArray().Select(effect => effect.GetProperty("estimate").GetDouble())];
    }

    /// <summary>How many different contents the files of a kind have over the runs, taken together.</summary>
    private static int Different(List<SortedDictionary<string, string>> runs, string kind) => runs
        .Select(files => string.Join(' ', files.Where(file => kind.Length == 0 || file.Key.EndsWith("trajectory.log", StringComparison.Ordinal) == (kind == "trajectory.log"))))
        .Distinct()
        .Count();

    private static double Relative(double[] expected, double[] found)
    {
        var difference = Math.Sqrt(expected.Zip(found, (one, other) => (one - other) * (one - other)).Sum());
        return difference == 0 && expected.Length == found.Length ? 0 : difference / Math.Sqrt(expected.Sum(one => one * one));
    }

    private static string Shown(double value) => value == 0 ? "0" : value.ToString("0.0e+0", CultureInfo.InvariantCulture);
}
