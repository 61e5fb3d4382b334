using LlmStageAudit.Attribution.Resuming;

namespace LlmStageAudit.Attribution.Trust;

/// <summary>A tally per question, and what their checks cost.</summary>
internal sealed class DriftTallies(int questions, bool independent) : IDisposable
{
    private readonly DriftTally[] _tallies = [.. Enumerable.Range(0, questions).Select(_ => new DriftTally(independent))];

    public double GradientEquivalents { get; set; }

    public DriftTally this[int question] => _tallies[question];

    public void Save(WalkState state)
    {
        state.Put("checks.gradients", [GradientEquivalents]);
        foreach (var (i, tally) in _tallies.Index()) tally.Save(state, $"checks.{i}");
    }

    /// <summary>Takes back what was put.</summary>
    /// <param name="state">Where it was put.</param>
    /// <param name="like">Says the type and device of errors [N].</param>
    public void Restore(WalkState state, Tensor like)
    {
        GradientEquivalents = state.Number("checks.gradients");
        foreach (var (i, tally) in _tallies.Index()) tally.Restore(state, $"checks.{i}", like);
    }

    public void Dispose()
    {
        foreach (var tally in _tallies) tally.Dispose();
    }
}
