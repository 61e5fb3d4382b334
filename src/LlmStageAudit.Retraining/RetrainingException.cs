using LlmStageAudit.Foundation.Errors;

namespace LlmStageAudit.Retraining;

/// <summary>A plan that cannot be made, run or verified.</summary>
public sealed class RetrainingException : AuditException
{
    private RetrainingException(ErrorKind kind, string where, string found, string? expected, string remedy)
        : base(Sentence(where, found, expected, remedy)) => Kind = kind;

    /// <inheritdoc/>
    public override ErrorKind Kind { get; }

    internal static RetrainingException NothingToChoose(string run) => new(
        ErrorKind.Request, run,
        $"no ranking and no effects are filed in the run, so {Setting.AutomaticChoice} has nothing to choose from", null,
        $"run attribute or rank first, or name stages for {Setting.LeavingOut}");

    internal static RetrainingException Ambiguous(string run, string what, string names) => new(
        ErrorKind.Request, run, $"{what} on different questions are filed ({names})", null,
        $"name the one to plan by with {Setting.PlannedFrom} FILE");

    internal static RetrainingException NoEffects(string plan) => new(
        ErrorKind.Request, plan, "the plan was made without effects, so there is no prediction to verify", null,
        $"run attribute, then give verify {Setting.Effects} FILE or plan again");

    internal static RetrainingException OtherRun(string where, string found, string expected) =>
        new(ErrorKind.Input, where, $"belongs to run {found}", $"run {expected}", "use files of one run together");

    internal static RetrainingException OtherProbe(string path) => new(
        ErrorKind.Input, path, "the probe's data changed since the effects were computed", "the same data", "run attribute again");

    internal static RetrainingException ProbeChanged(string path, string effects) => new(
        ErrorKind.Input, path, "the probe measures otherwise, or on other examples, than when the effects were computed",
        $"the probe of {effects}", $"run attribute again, then plan again or give verify {Setting.Effects} FILE");

    internal static RetrainingException NotRetrained(string plan, IEnumerable<string> jobs) =>
        new(ErrorKind.Request, plan, $"not yet retrained: {string.Join(", ", jobs)}", null, "run retrain first");

    internal static RetrainingException NotIntact(string run, IEnumerable<object> findings) => new(
        ErrorKind.Finding, run, $"the retrained run is not what was sealed ({string.Join("; ", findings)})", "the run as retraining left it",
        "remove its folder and run retrain again; verify-log says what was changed");

    internal static RetrainingException NotPredicted(string effects, string stage) =>
        new(ErrorKind.Input, effects, $"holds no effect of stage '{stage}'", null, "run attribute for whole stages");

    internal static RetrainingException BadPlan(
        string plan, string found, string expected = "a plan as `stageaudit plan` writes it", string remedy = "plan again") =>
        new(ErrorKind.Input, plan, found, expected, remedy);

    internal static RetrainingException InUse(string plan, string holder) => new(
        ErrorKind.Input, plan, $"being retrained by {holder}", "a plan that nothing else runs", "wait for it to end, or stop it");
}
