namespace LlmStageAudit.Attribution.Screening;

/// <summary>What <see cref="HeadCertificate"/> finds; candidates by their numbers.</summary>
/// <param name="Head">The first, best first, by exact effects where known and screened ones elsewhere.</param>
/// <param name="Rest">All others in order.</param>
/// <param name="ScreeningError">The root mean square of exact less screened effects; null where none is known.</param>
/// <param name="Errors">How many of these are known.</param>
/// <param name="Limits">Of each unsettled one of the rest: how far its exact effect may lie from the screened one.</param>
public sealed record HeadFinding(
    IReadOnlyList<int> Head, IReadOnlyList<int> Rest, double? ScreeningError, int Errors, IReadOnlyDictionary<int, double> Limits)
{
    public bool IsCertain { get; init; }

    /// <summary>Whether settled candidates are too close on this probe, so that no replay can decide.</summary>
    public bool IsTied { get; init; }

    /// <summary>Unsettled candidates that have to be settled before the head can be certain.</summary>
    public IReadOnlyList<int> Open { get; init; } = [];
}
