using System.Globalization;
using LlmStageAudit.Benchmarks.Commands;
using LlmStageAudit.Benchmarks.LongRuns;

namespace LlmStageAudit.Benchmarks.Determinism;

/// <summary>The same run again in other processes, and under other engines: which bytes stay and how far results move.</summary>
internal static class DeterminismBenchmark
{
    private const int Repeats = 5;

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

    private const string Classification = "task: sequence-classification, labels: 2";

    public static void Run()
    {
        using var workspace = new AuditWorkspace(hidden: 64, layers: 2, rows: 240, shortest: 4, longest: 32);
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
        var rows = new List<string[]>();
        foreach (var (index, setting) in s_settings.Index())
        {
            var hashes = new List<SortedDictionary<string, string>>();
            var effects = new List<string>();
            for (var repeat = 0; repeat < Repeats; repeat++)
            {
                var run = Train(workspace, $"again-{index}-{repeat}", $"again-{index}", setting, []);
                hashes.Add(RunFiles.Hashes(run));
                effects.Add(string.Join(' ', Effects(workspace, run, []).Select(value => value.ToString("R", CultureInfo.InvariantCulture))));
            }

            rows.Add(
            [
                setting.Name,
                $"{Different(hashes, "state")}",
                $"{Different(hashes, "trajectory.log")}",
                $"{effects.Distinct().Count()}",
                Different(hashes, "") == 1 && effects.Distinct().Count() == 1 ? "yes" : "NO",
            ]);
        }

        results.Section("Again")
            .Paragraph(
                $"A small GPT-NeoX (2 layers, 64 dimensions), three stages of 30 steps of 8 rows, LoRA; each run {Repeats} times in processes of their own, one thread. How many "
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
            var reference = Train(workspace, $"reference-{index}", $"elsewhere-{index}", setting, [], "--threads", "1");
            var (state, effects) = (FinalState.Read(reference), Effects(workspace, reference, [], "--threads", "1"));
            foreach (var (place, engine) in engines.Index())
            {
                var run = Train(workspace, $"run-{index}-{place}", $"elsewhere-{index}-{place}", setting with { MicroBatch = engine.MicroBatch }, engine.Environment, engine.Arguments);
                var replayed = BuiltCommand.Run(Repository.Command, engine.Environment, ["verify-log", reference, "--replay", "5", "--json", .. engine.Arguments]);
                var (ofState, ofEffects) = (Relative(state, FinalState.Read(run)), Relative(effects, Effects(workspace, run, engine.Environment, engine.Arguments)));
                worst = Math.Max(worst, Math.Max(ofState, ofEffects));
                rows.Add(
                [
                    $"{setting.Name}: {engine.Name}",
                    Shown(ofState),
                    Shown(ofEffects),
                    replayed.ExitCode == 0 ? Shown(replayed.Json.GetProperty("worstGradientError").GetDouble()) : $"exit {replayed.ExitCode}",
                    replayed.Error.Contains("another engine", StringComparison.Ordinal) ? "yes" : "no",
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

    private static string Train(
        AuditWorkspace workspace,
        string run,
        string name,
        (string Name, string Optimizer, string Model, string Adapter, int? MicroBatch) setting,
        (string, string)[] environment,
        params string[] arguments)
    {
        var configuration = workspace.Configure(
            name, setting.Optimizer, batchSize: 8, epochs: [1, 1, 1], model: setting.Model, adapter: setting.Adapter, microBatchSize: setting.MicroBatch);
        BuiltCommand.Succeed(environment, ["train", configuration, "--out", workspace.At(run), .. arguments.Length > 0 || environment.Length > 0 ? arguments : ["--threads", "1"]]);
        return workspace.At(run);
    }

    /// <summary>Of the stages in turn, by exact replay.</summary>
    private static double[] Effects(AuditWorkspace workspace, string run, (string, string)[] environment, params string[] arguments)
    {
        var isText = File.ReadAllText(Path.Combine(run, "manifest.json")).Contains("\"causal-lm\"", StringComparison.Ordinal);
        var said = BuiltCommand.Succeed(
            environment,
            ["attribute", run, "--probe", workspace.At(isText ? "text.yaml" : "probe.yaml"), "--json", .. arguments.Length > 0 || environment.Length > 0 ? arguments : ["--threads", "1"]]);
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
