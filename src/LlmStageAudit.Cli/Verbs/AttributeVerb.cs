using System.CommandLine;
using LlmStageAudit.Attribution.Adjoint;
using LlmStageAudit.Attribution.Estimators;
using LlmStageAudit.Attribution.Screening;
using LlmStageAudit.Auditing.Effects;
using LlmStageAudit.Auditing.Hops;
using LlmStageAudit.Cli.Terminal;
using LlmStageAudit.Probing.Probes;
using LlmStageAudit.Records.Choices;
using LlmStageAudit.Records.Configuration;
using LlmStageAudit.Records.Effects;
using LlmStageAudit.Records.Serialization;

namespace LlmStageAudit.Cli.Verbs;

internal static class AttributeVerb
{
    private static readonly Option<string> s_method = new("--method", "-m")
    {
        Description = $"How counterfactuals are estimated: {string.Join(", ", Estimator.Methods)}",
        DefaultValueFactory = _ => Estimator.Exact.Method,
    };

    private static readonly Option<string> s_curvature = new("--curvature")
    {
        Description = "For adjoint and aa-score: full, or layer-wise (no blocks between layers)",
        DefaultValueFactory = _ => "full",
    };

    private static readonly Option<double?> s_epsilonFloor = new("--epsilon-floor")
    {
        Description = "For adjoint and aa-score on AdamW: the least eps of the optimizer's tangent",
        DefaultValueFactory = _ => 0,
    };

    private static readonly Option<string> s_readout = new("--readout")
    {
        Description = "For adjoint at --level step or batch: linear, or quadratic (also the probe's own bend, for one more adjoint)",
        DefaultValueFactory = _ => "linear",
    };

    private static readonly Option<int> s_folds = new("--folds")
    {
        Description = "For adjoint at --level step, batch or example: "
            + "give scores an interval from this many parts of the probe, for 1.5 gradients a step each",
        DefaultValueFactory = _ => 1,
    };

    private static readonly Option<string> s_level = new("--level")
    {
        Description = "stage, step, or, with --method adjoint, batch or example (of the training data)",
        DefaultValueFactory = _ => "stage",
    };

    private static readonly Option<string> s_treatment = new("--treatment")
    {
        Description = "stage: the job never ran; steps: its updates are skipped while the schedule goes on",
        DefaultValueFactory = _ => "stage",
    };

    private static readonly Option<string[]> s_steps =
        new("--steps") { Description = "With --treatment steps: steps to skip together, such as 3,10-12; repeatable" };
    private static readonly Option<string?> s_export =
        new("--export-adapters") { Description = "Save each counterfactual as a PEFT folder below this one" };
    private static readonly Option<bool> s_perExample = new("--per-example") { Description = "Also each probe example's effect" };

    public static Command Build() => Verb.Of(
        "attribute",
        "Computes the effect of every stage (or set of steps) on a probe: observed minus counterfactual, "
            + "positive where the stage raised the measure.",
        [
            "stageaudit attribute runs/a --probe probes/identity.yaml",
            "stageaudit attribute runs/a --probe probes/identity.yaml --gradient midpoint --json --per-example",
            "stageaudit attribute runs/a --probe probes/identity.yaml --treatment steps --steps 3,10-12",
            "stageaudit attribute runs/a --probe probes/identity.yaml --method adjoint --level step",
            "stageaudit attribute runs/a --probe probes/identity.yaml --level step --budget 3x --top 3",
        ],
        [
            RunOptions.Run, ProbeOptions.Probe, ProbeOptions.Unlabelled, s_method, RunOptions.Gradient, RunOptions.Rho, s_curvature,
            s_epsilonFloor, s_readout, s_folds, s_level, s_treatment, s_steps, s_export, s_perExample,
            .. BudgetOptions.All, .. ResumeOptions.All, CommonOptions.Device,
        ],
        Run);

    private static int Run(VerbContext context)
    {
        var certification = BudgetOptions.Read(context, context.Get(RunOptions.Rho), TopKOrder.Magnitude);
        var request = new AttributionRequest
        {
            Estimator = Estimator.Of(context.Get(s_method)!, new EstimatorSettings
            {
                Gradient = context.Given(RunOptions.Gradient),
                // Under a budget it is the screen's.
                Rho = certification is null ? context.Get(RunOptions.Rho) : null,
                Curvature = context.Given(s_curvature),
                EpsilonFloor = context.Given(s_epsilonFloor),
                Readout = context.Given(s_readout),
            }),
            Treatment = Treatment.Of(context.Get(s_level)!, context.Given(s_treatment), context.Get(s_steps) ?? []),
            Folds = context.Get(s_folds),
            ExportFolder = context.Get(s_export),
        }.Validated();
        var filed = AttributeHop.Run(
            new AttributeRequest
            {
                Run = context.Get(RunOptions.Run),
                Probe = ProbeConfigurationReader.Read(context.Get(ProbeOptions.Probe)!),
                Unlabelled = context.Get(ProbeOptions.Unlabelled),
                Question = request,
                Certification = certification,
                Resume = context.Get(ResumeOptions.Resume),
                SaveInterval = ResumeOptions.SaveInterval(context),
            },
            context.Host);
        Print(context, filed.Record, filed.Path);
        return (int)ExitCode.Done;
    }

    private static void Print(VerbContext context, EffectsArtifact effects, string path)
    {
        var perExample = context.Get(s_perExample);
        if (context.Json)
        {
            context.WriteJson(new
            {
                SchemaVersion = 1,
                effects.RunId,
                Probe = effects.Probe.Name,
                Examples = effects.Probe.Examples,
                effects.Method,
                effects.Gradient,
                effects.Estimator,
                Treatment = effects.Treatment.Kind,
                effects.Metric,
                Effects = effects.Effects.Select(effect => new
                {
                    effect.Stage,
                    effect.FirstStep,
                    effect.LastStep,
                    effect.Example,
                    effect.Metric,
                    effect.Estimate,
                    effect.Low,
                    effect.High,
                    effect.Trust,
                    effect.Evidence,
                    effect.Estimator,
                    effect.ExportedAdapter,
                    PerExample = perExample ? effect.PerExample : null,
                }),
                effects.AttributeSeconds,
                effects.GradientEquivalents,
                effects.Certification,
                File = path,
            });
            return;
        }

        context.Out.WriteLine(
            $"Effect on mean {effects.Metric} of {effects.Probe.Name} ({effects.Probe.Examples} examples); positive: the stage raised it.");
        var isMixed = effects.Certification is not null;
        context.WriteTable(
            ["stage", ">effect", ">95% interval", "trust", .. isMixed ? ["estimate"] : Array.Empty<string>()],
            effects.Effects.Select(effect => (IReadOnlyList<string>)
            [
                Name(effect), Numbers.Signed(effect.Estimate), Interval(effect), effect.Trust,
                .. isMixed ? [$"{effect.Estimator}"] : Array.Empty<string>(),
            ]));
        BudgetOptions.Print(context, effects.Certification);
        if (perExample)
        {
            // A sweep scores the probe as a whole.
            var detailed = effects.Effects.Where(effect => effect.PerExample.Count > 0).ToArray();
            context.WriteTable(
                ["id", .. detailed.Select(effect => ">" + effect.Stage)],
                effects.Observed.Examples.Select((example, i) =>
                    (IReadOnlyList<string>)[example.Id, .. detailed.Select(effect => Numbers.Signed(effect.PerExample[i].Estimate))]));
        }

        TrustNotes.Write(
            context, [.. effects.Effects.Select(effect => (Name(effect), effect.Estimate, (string?)effect.Trust, effect.Evidence))]);
        context.Note(
            $"{(effects.Gradient is { } gradient ? $"replay with gradient source {gradient}" : effects.Method)}: "
            + $"{Numbers.Seconds(effects.AttributeSeconds)}, {effects.GradientEquivalents:0} gradients; filed in {path}");
    }

    private static string Name(StageEffect effect) => effect.Example is { } id ? $"{effect.Stage} / {id}" : effect.Stage;

    private static string Interval(StageEffect effect) => effect is { Low: { } low, High: { } high } ? Numbers.Interval(low, high) : "-";
}
