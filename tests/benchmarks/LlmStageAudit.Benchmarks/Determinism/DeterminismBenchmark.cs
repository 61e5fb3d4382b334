using System.Globalization;
using System.Text.Json;
using LlmStageAudit.Benchmarks.Commands;
using LlmStageAudit.Benchmarks.LongRuns;

namespace LlmStageAudit.Benchmarks.Determinism;

/// <summary>The same run again in other processes, and under other engines: which bytes stay and how far results move.</summary>
internal static class DeterminismBenchmark
{
    private const int Repeats = 5;
    private const int ProcessesAtATime = 4;

    /// <summary>What a change of engine may move the state at most, relative to its length, where the base computes in float32.</summary>
    private const double StateBound = 1e-6;

    /// <summary>The same of the effects, which are differences of nearly equal numbers.</summary>
    private const double EffectsBound = 1e-3;

    private static readonly Setting s_bfloat16 = new(
        "AdamW, bfloat16 base", AuditWorkspace.AdamW, Classification + ", dtype: bfloat16", "r: 2, alpha: 4");

    private static readonly Setting[] s_settings =
    [
        new("SGD", AuditWorkspace.Sgd, Classification, "r: 2, alpha: 4"),
        new("AdamW", AuditWorkspace.AdamW, Classification, "r: 2, alpha: 4"),
        new("AdamW, dropout 0.1", AuditWorkspace.AdamW, Classification, "r: 2, alpha: 4, dropout: 0.1"),
        s_bfloat16,
        new("AdamW, micro-batches of 3", AuditWorkspace.AdamW, Classification, "r: 2, alpha: 4", 3),
        new("AdamW, causal language model", AuditWorkspace.AdamW, "task: causal-lm", "r: 2, alpha: 4"),
    ];

    private static readonly string[] s_heads = ["Run: engine", "State", "Effects", "Replayed gradients", "Said"];

    private const string Classification = "task: sequence-classification, labels: 2";

    /// <param name="folders">Installed PyTorches whose libtorch is compared as well: what LIBTORCH may name.</param>
    public static void Run(string[] folders)
    {
        using var workspace = new AuditWorkspace(hidden: 64, layers: 2, rows: 120, shortest: 4, longest: 32);
        var results = new ResultFile("determinism", "The same run again, and under other engines");
        var all = folders.Select(folder => Engine.OneThread with { LibTorch = folder }).Prepend(Engine.OneThread);
        var versions = string.Join("; ", all.Select(Described));
        Again(workspace, results);
        Elsewhere(workspace, results);
        OtherVersions(workspace, results, folders);
        results.Paragraph(
            "A run's manifest records its engine: version of libtorch, threads within and between operators, device, system, processor, "
            + "vector instructions, BLAS with its kernel and threads, versions of OpenMP, oneDNN and MKL, whether only deterministic "
            + "operators are allowed, the .NET runtime, and the variables that choose threads or kernels. `train --resume`, `attribute`, "
            + "`rank`, `compare`, `retrain` and `verify-log --replay` name every difference on standard error and claim no bits then; a "
            + "run that was resumed by another engine lists that engine in its manifest.");
        results.Write(versions);
    }

    private static void Again(AuditWorkspace workspace, ResultFile results)
    {
        var runs = s_settings.Index()
            .SelectMany(setting => Enumerable.Range(0, Repeats).Select(repeat => (Setting: setting, Repeat: repeat)))
            .ToArray();
        foreach (var (index, setting) in s_settings.Index()) Configure(workspace, $"again-{index}", setting);
        var found = AtATime(runs, one =>
        {
            var run = Train(workspace, $"again-{one.Setting.Index}-{one.Repeat}", $"again-{one.Setting.Index}", Engine.OneThread);
            var effects = string.Join(
                ' ', Effects(workspace, run, Engine.OneThread).Select(value => value.ToString("R", CultureInfo.InvariantCulture)));
            return (one.Setting.Index, Hashes: RunFiles.Hashes(run), Effects: effects);
        });
        var rows = s_settings.Index().Select(setting =>
        {
            var same = found.Where(run => run.Index == setting.Index).ToArray();
            var hashes = same.Select(run => run.Hashes).ToList();
            var effects = same.Select(run => run.Effects).Distinct().Count();
            return new[]
            {
                setting.Item.Name,
                $"{Different(hashes, "state")}",
                $"{Different(hashes, "trajectory.log")}",
                $"{effects}",
                Different(hashes, "") == 1 && effects == 1 ? "yes" : "NO",
            };
        });
        results.Section("Again")
            .Paragraph(
                $"A small GPT-NeoX (2 layers, 64 dimensions), three stages of 15 steps of 8 rows, LoRA; each run {Repeats} times in "
                + "processes of their own, one thread. How many different contents the files of the states (initial and of every stage) "
                + "and the logs had, by SHA-256, and how many different effects `attribute` printed (exact replay).")
            .Table(["Run", "States", "Logs", "Effects", "The same bytes"], rows);
    }

    private static void Elsewhere(AuditWorkspace workspace, ResultFile results)
    {
        Engine[] engines =
        [
            Engine.OneThread,
            new("--threads 2", "--threads", "2"),
            With([], ("OMP_NUM_THREADS", "1")),
            With([], ("OMP_NUM_THREADS", "2")),
            With(Engine.OneThread.Arguments, ("MKL_NUM_THREADS", "2")),
            With(Engine.OneThread.Arguments, ("ATEN_CPU_CAPABILITY", "default")),
            With(Engine.OneThread.Arguments, ("ATEN_CPU_CAPABILITY", "avx2")),
            With(Engine.OneThread.Arguments, ("ATEN_CPU_CAPABILITY", "avx512")),
            With(Engine.OneThread.Arguments, ("MKL_CBWR", "COMPATIBLE")),
            With(Engine.OneThread.Arguments, ("MKL_CBWR", "AVX2")),
            .. new[] { 1, 3, 4 }.Select(size => Engine.OneThread with { Name = $"micro-batches of {size}", MicroBatchSize = size }),
        ];
        var (rows, worst) = Compare(workspace, [s_settings[0], s_settings[1], s_bfloat16], engines);
        results.Section("Elsewhere")
            .Paragraph(
                "The same run under other threads, vector instructions and BLAS kernels (a stand-in for other machines) and with other "
                + "micro-batches, against the run with one thread: relative difference ||other - one|| / ||one|| of the final trainable "
                + "state and of the stages' effects, and the worst relative gradient error that `verify-log --replay 5` finds when the "
                + "other engine checks the run of the first, and whether it says that the engine is another. "
                + "0 is to the bit. " + AgainstBound(worst))
            .Table(s_heads, rows);

        static Engine With(string[] arguments, params (string Name, string Value)[] environment) =>
            new(string.Join(", ", environment.Select(one => $"{one.Name}={one.Value}")), arguments) { Environment = environment };
    }

    private static void OtherVersions(AuditWorkspace workspace, ResultFile results, string[] folders)
    {
        results.Section("Another libtorch");
        if (folders.Length == 0)
        {
            results.Paragraph("None was compared: name the `torch` folder of an installed PyTorch, as in `scripts/bench.sh determinism FOLDER`.");
            return;
        }

        var engines = folders
            .Select(folder => Engine.OneThread with { LibTorch = folder })
            .Select(engine => engine with { Name = $"libtorch {Version(engine)}" })
            .SelectMany(engine => new[]
            {
                engine,
                engine with { Name = $"{engine.Name}, ATEN_CPU_CAPABILITY=avx2", Environment = [("ATEN_CPU_CAPABILITY", "avx2")] },
                engine with { Name = $"{engine.Name}, --threads 2", Arguments = ["--threads", "2"] },
            })
            .ToArray();
        var (rows, worst) = Compare(workspace, s_settings, engines);
        results.Paragraph(
                "The same as above with the libtorch of an installed PyTorch (`LIBTORCH`), against this one's with one thread. Runs go both "
                + "ways: the other engine trains a run of its own, and checks the steps of this one's. " + AgainstBound(worst))
            .Table(s_heads, rows);
    }

    /// <summary>Every engine's run beside that of one thread here.</summary>
    private static (List<string[]> Rows, Worst Worst) Compare(AuditWorkspace workspace, IEnumerable<Setting> settings, Engine[] engines)
    {
        var rows = new List<string[]>();
        var worst = new Worst(0, 0, 0, 0);
        foreach (var setting in settings)
        {
            foreach (var size in engines.Select(engine => engine.MicroBatchSize).Distinct())
                Configure(workspace, $"micro-{size}", size is null ? setting : setting with { MicroBatchSize = size });
            var name = $"{rows.Count}-{engines.Length}";
            Configure(workspace, "reference", setting);
            var reference = Train(workspace, $"reference-{name}", "reference", Engine.OneThread);
            var (state, effects) = (FinalState.Read(reference), Effects(workspace, reference, Engine.OneThread));
            var found = AtATime(engines.Index().ToArray(), pair =>
            {
                var (place, engine) = pair;
                var run = Train(workspace, $"run-{name}-{place}", $"micro-{engine.MicroBatchSize}", engine);
                var replayed = engine.Run("verify-log", reference, "--replay", "5", "--json");
                return (
                    State: Relative(state, FinalState.Read(run)),
                    Effects: Relative(effects, Effects(workspace, run, engine)),
                    Replayed: replayed);
            });
            foreach (var (engine, moved) in engines.Zip(found))
            {
                worst = setting == s_bfloat16
                    ? worst with
                    {
                        CoarseState = Math.Max(worst.CoarseState, moved.State),
                        CoarseEffects = Math.Max(worst.CoarseEffects, moved.Effects),
                    }
                    : worst with { State = Math.Max(worst.State, moved.State), Effects = Math.Max(worst.Effects, moved.Effects) };
                rows.Add(
                [
                    $"{setting.Name}: {engine.Name}",
                    Shown(moved.State),
                    Shown(moved.Effects),
                    moved.Replayed.ExitCode == 0
                        ? Shown(moved.Replayed.Json.GetProperty("worstGradientError").GetDouble())
                        : $"exit {moved.Replayed.ExitCode}",
                    moved.Replayed.Error.Contains("another engine", StringComparison.Ordinal) ? "yes" : "no",
                ]);
            }
        }

        return (rows, worst);
    }

    private static string AgainstBound(Worst worst) =>
        $"In float32 the largest difference is {Within(worst.State, StateBound)} of a state and {Within(worst.Effects, EffectsBound)} of "
        + $"effects. Through a base in bfloat16, {Shown(worst.CoarseState)} and {Shown(worst.CoarseEffects)}: kernels round its activations "
        + "to eight bits in different places, and an effect is a difference of two such readings, so that there is no bound for it; "
        + "compare effects of such runs within one engine. Replayed gradients of such a run pass up to 0.05 where the engine is another.";

    private static string Within(double found, double bound) =>
        $"{Shown(found)} (bound {bound.ToString("0e+0", CultureInfo.InvariantCulture)}{(found <= bound ? "" : ", MISSED")})";

    private static string Described(Engine engine)
    {
        var doctor = Doctor(engine);
        var (capability, blas) = (doctor.GetProperty("cpuCapability").GetString(), doctor.GetProperty("blas").GetString());
        return $"libtorch {Version(engine)} on the CPU, {capability}, {blas}";
    }

    private static string Version(Engine engine) => Doctor(engine).GetProperty("libTorchVersion").GetString()!;

    private static JsonElement Doctor(Engine engine) => (engine with { Arguments = [] }).Succeed("doctor", "--json").Json;

    private static void Configure(AuditWorkspace workspace, string name, Setting setting) =>
        workspace.Configure(
            name,
            setting.Optimizer,
            batchSize: 8,
            epochs: [1, 1, 1],
            model: setting.Model,
            adapter: setting.Adapter,
            microBatchSize: setting.MicroBatchSize);

    private static string Train(AuditWorkspace workspace, string run, string configuration, Engine engine)
    {
        engine.Succeed("train", workspace.At(configuration + ".yaml"), "--out", workspace.At(run));
        return workspace.At(run);
    }

    /// <summary>Nothing here is timed, so that several processes may run beside each other.</summary>
    private static TResult[] AtATime<T, TResult>(T[] items, Func<T, TResult> work) =>
    [
        .. items.AsParallel()
            .AsOrdered()
            .WithDegreeOfParallelism(ProcessesAtATime)
            .WithExecutionMode(ParallelExecutionMode.ForceParallelism)
            .Select(work),
    ];

    /// <summary>Of the stages in turn, by exact replay.</summary>
    private static double[] Effects(AuditWorkspace workspace, string run, Engine engine)
    {
        var isText = File.ReadAllText(Path.Combine(run, "manifest.json")).Contains("\"causal-lm\"", StringComparison.Ordinal);
        var said = engine.Succeed("attribute", run, "--probe", workspace.At(isText ? "text.yaml" : "probe.yaml"), "--json");
        return [.. said.Json.GetProperty("effects").EnumerateArray().Select(effect => effect.GetProperty("estimate").GetDouble())];
    }

    /// <summary>How many different contents the files of a kind have over the runs, taken together.</summary>
    private static int Different(List<SortedDictionary<string, string>> runs, string kind) => runs
        .Select(files => string.Join(
            ' ',
            files.Where(file =>
                kind.Length == 0 || file.Key.EndsWith("trajectory.log", StringComparison.Ordinal) == (kind == "trajectory.log"))))
        .Distinct()
        .Count();

    private static double Relative(double[] expected, double[] found)
    {
        var difference = Math.Sqrt(expected.Zip(found, (one, other) => (one - other) * (one - other)).Sum());
        return difference == 0 && expected.Length == found.Length ? 0 : difference / Math.Sqrt(expected.Sum(one => one * one));
    }

    private static string Shown(double value) => value == 0 ? "0" : value.ToString("0.0e+0", CultureInfo.InvariantCulture);

    /// <summary>The largest differences, of float32 and (coarse) of a base in bfloat16.</summary>
    private sealed record Worst(double State, double Effects, double CoarseState, double CoarseEffects);

    private sealed record Setting(string Name, string Optimizer, string Model, string Adapter, int? MicroBatchSize = null);
}
