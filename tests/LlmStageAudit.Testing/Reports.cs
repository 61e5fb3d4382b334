namespace LlmStageAudit.Testing;

/// <summary>Progress that is reported on the spot, where <see cref="Progress{T}"/> would do it later.</summary>
public sealed class Reports<T>(Action<T> report) : IProgress<T>
{
    public void Report(T value) => report(value);
}
