using System.CommandLine;
using LlmStageAudit.Attribution.Adjoint;
using LlmStageAudit.Attribution.Estimators;
using LlmStageAudit.Attribution.Screening;
using LlmStageAudit.Auditing.Effects;
using LlmStageAudit.Auditing.Hops;
using LlmStageAudit.Auditing.Screening;
using LlmStageAudit.Cli.Terminal;
using LlmStageAudit.Probing.Probes;
using LlmStageAudit.Records.Choices;
using LlmStageAudit.Records.Effects;
using LlmStageAudit.Records.Serialization;

namespace LlmStageAudit.Cli.Verbs;

internal static class AttributeVerb
{
    private static readonly Option<string?> s_method = new("--method", "-m")
    {
        Description = $"How counterfactuals are estimated: {string.Join(", ", Estimator.Methods)}. Default: replay; below stages the "
            + "adjoint, of steps under a budget of 5x",
    };
    private static readonly Option<string> s_curvature =
        Verb.Option("--curvature", "For adjoint and aa-score: full, or layer-wise (no blocks between layers)", "full");
    private static readonly Option<double?> s_epsilonFloor = Verb.Option<double?>(
        "--epsilon-floor", "For adjoint and aa-score on AdamW: the least eps of the optimizer's tangent", 0);
    private static readonly Option<string> s_readout = Verb.Option(
        "--readout",
        "For adjoint at --level step or batch: linear, or quadratic (also the probe's own bend, for one more adjoint)",
        "linear");
    private static readonly Option<int> s_folds = Verb.Option(
        "--folds",
        "For the adjoint at --level step, batch or example: "
            + "give scores an interval from this many parts of the probe, for 1.5 gradients a step each",
        1);
    private static readonly Option<string> s_level =
        Verb.Option("--level", "stage, step, batch or example (of the training data)", "stage");
    private static readonly Option<string> s_treatment = Verb.Option(
        "--treatment", "stage: the job never ran; steps: its updates are skipped while the schedule goes on", "stage");
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
            "stageaudit attribute runs/a --probe probes/identity.yaml --json --per-example",
            "stageaudit attribute runs/a --probe probes/identity.yaml --seeds 4",
            "stageaudit attribute runs/a --probe probes/identity.yaml --treatment steps --steps 3,10-12",
            "stageaudit attribute runs/a --probe probes/identity.yaml --level example",
            "stageaudit attribute runs/a --probe probes/identity.yaml --level step --budget 3x --top 3",
        ],
        [
            RunOptions.Run, .. ProbeOptions.All, s_method, RunOptions.Gradient, RunOptions.Rho, s_curvature,
            s_epsilonFloor, s_readout, s_folds, s_level, s_treatment, s_steps, RunOptions.Seeds, s_export, s_perExample,
            .. BudgetOptions.All, .. ResumeOptions.All, CommonOptions.Device,
        ],
        Run);

    private static void Run(VerbContext context)
    {
        var treatment = Treatment.Of(context.Get(s_level)!, context.Given(s_treatment), context.Get(s_steps) ?? []);
        var certification = BudgetOptions.Read(context, context.Get(RunOptions.Rho), TopKOrder.Magnitude);
        var settings = new EstimatorSettings
        {
            Gradient = context.Given(RunOptions.Gradient),
            // Under a budget it is the screen's.
            Rho = certification is null ? context.Get(RunOptions.Rho) : null,
            Curvature = context.Given(s_curvature),
            EpsilonFloor = context.Given(s_epsilonFloor),
            Readout = context.Given(s_readout),
        };
        // Whoever sets something about the estimator wants that estimator, and no other that settles its top.
        var isPlain = context.Get(s_method) is null && !settings.Chosen.Any() && context.Given(s_folds) == 0;
        if (treatment is Treatment.EachStep && isPlain && context.Get(RunOptions.Seeds) == 0)
            certification ??= CertificationRequest.OfSteps;
        // Under a budget exact replay settles, whatever screens.
        var byDefault = settings.Gradient is null && (certification is null || treatment is Treatment.EachBatch or Treatment.EachExample)
            ? AttributionRequest.EstimatorOf(treatment)
            : Estimator.Exact;
        var request = new AttributionRequest
        {
            Estimator = Estimator.Of(context.Get(s_method) ?? byDefault.Method, settings),
            Treatment = treatment,
            Folds = context.Get(s_folds),
            ExportFolder = context.Get(s_export),
        }.Validated();
        var filed = AttributeHop.Run(
            new AttributeRequest
            {
                Run = context.Get(RunOptions.Run),
                Probe = ProbeOptions.Read(context),
                Unlabelled = context.Get(ProbeOptions.Unlabelled),
                Question = request,
                Certification = certification,
                FurtherSeeds = context.Get(RunOptions.Seeds),
                Resume = context.Get(ResumeOptions.Resume),
                SaveInterval = ResumeOptions.SaveInterval(context),
            },
            context.Host);
        var (effects, path) = (filed.Record, filed.Path);
        context.Print(Answer(effects, path, context.Get(s_perExample)), () => Print(context, effects, path));
    }

    private static object Answer(EffectsArtifact effects, string path, bool perExample) => new
    {
        effects.RunId,
        Probe = effects.Probe.Name,
        effects.Probe.Examples,
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
            effect.PValue,
            effect.AdjustedPValue,
            effect.Significant,
            effect.Trust,
            effect.Evidence,
            effect.OverSeeds,
            effect.Estimator,
            effect.Screened,
            effect.ExportedAdapter,
            PerExample = perExample ? effect.PerExample : null,
        }),
        Holds = SeedTable.Reach(effects.Effects.FirstOrDefault()?.OverSeeds),
        effects.AttributeSeconds,
        effects.GradientEquivalents,
        effects.Certification,
        File = path,
    };

    private static void Print(VerbContext context, EffectsArtifact effects, string path)
    {
        context.Out.WriteLine(
            $"Effect on mean {effects.Metric} of {effects.Probe.Name} ({effects.Probe.Examples} examples); positive: the stage raised it.");
        (string, Func<StageEffect, string?>)[] mixed = effects.Effects.All(effect => effect.Estimator is null)
            ? []
            : [("estimate", effect => $"{effect.Estimator ?? effects.Estimator}")];
        context.WriteTable(
            effects.Effects,
            [
                ("stage", Name),
                (">effect", effect => Numbers.Signed(effect.Estimate)),
                (">95% interval", effect => effect is { Low: { } low, High: { } high } && !double.IsNaN(low) ? Numbers.Interval(low, high) : null),
                ("significant in this run", effect => effect.Significant is { } significant ? EnumSpelling<Significance>.Of(significant) : null),
                ("trust", effect => EnumSpelling<TrustGrade>.Of(effect.Trust)),
                .. mixed,
            ]);
        SeedTable.Write(context, [.. effects.Effects.Select(effect => (Name(effect), effect.OverSeeds))]);
        BudgetOptions.Print(context, effects.Certification);
        if (context.Get(s_perExample))
        {
            // A sweep scores the probe as a whole.
            var detailed = effects.Effects.Where(effect => effect.PerExample.Count > 0);
            context.WriteTable(
                effects.Observed.Examples.Index(),
                [
                    ("id", row => row.Item.Id),
                    .. detailed.Select(effect => (">" + effect.Stage,
                        (Func<(int Index, ExampleScore Item), string?>)(row => Numbers.Signed(effect.PerExample[row.Index].Estimate)))),
                ]);
        }

        TrustNotes.Write(
            context, [.. effects.Effects.Select(effect => (Name(effect), effect.Estimate, (TrustGrade?)effect.Trust, effect.Evidence))]);
        context.Note(
            $"{(effects.Gradient is { } gradient ? $"replay with gradient source {gradient}" : effects.Method)}: "
            + $"{Numbers.Seconds(effects.AttributeSeconds)}, {effects.GradientEquivalents:0} gradients; filed in {path}");
    }

    private static string Name(StageEffect effect) => effect.Example is { } id ? $"{effect.Stage} / {id}" : effect.Stage;
}
