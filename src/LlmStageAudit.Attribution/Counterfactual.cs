namespace LlmStageAudit.Attribution;

/// <summary>
/// A question: the run without some of its steps. A whole stage left out is a job that never ran; single steps left out are
/// updates skipped inside a job, over which the schedule advances and the optimizer's state does not change.
/// </summary>
/// <param name="Name">The stage's name, or a label such as "steps 10-12".</param>
/// <param name="Skipped">Skipped steps (1-based within the stage) by stage index; null for the whole stage.</param>
public sealed record Counterfactual(string Name, IReadOnlyDictionary<int, IReadOnlySet<int>?> Skipped)
{
    /// <summary>The first stage that differs from the observed run.</summary>
    public int FirstStage => Skipped.Keys.Min();

    /// <summary>The run without a whole stage.</summary>
    public static Counterfactual WithoutStage(string name, int stageIndex) =>
        new(name, new Dictionary<int, IReadOnlySet<int>?> { [stageIndex] = null });

    /// <summary>The run without some steps of one stage, given by their numbers within it, from 1.</summary>
    public static Counterfactual WithoutSteps(string name, int stageIndex, IEnumerable<int> stageSteps) =>
        new(name, new Dictionary<int, IReadOnlySet<int>?> { [stageIndex] = stageSteps.ToHashSet() });

    /// <summary>Whether the whole stage at that place is left out.</summary>
    public bool SkipsStage(int stageIndex) => Skipped.TryGetValue(stageIndex, out var steps) && steps is null;

    /// <summary>Whether a step (1-based within its stage) is left out, alone or with its stage.</summary>
    public bool SkipsStep(int stageIndex, int stageStep) =>
        Skipped.TryGetValue(stageIndex, out var steps) && (steps is null || steps.Contains(stageStep));

    /// <summary>Whether it makes a step (1-based within its stage), and from another state than the observed run's.</summary>
    public bool Diverges(int stageIndex, int stageStep) =>
        !SkipsStep(stageIndex, stageStep)
        && (stageIndex > FirstStage
            || (stageIndex == FirstStage && Skipped[stageIndex] is { } steps && stageStep > steps.Min()));
}
