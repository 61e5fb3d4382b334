namespace LlmStageAudit.Modeling.Engine;

/// <summary>Which versions of libtorch TorchSharp's bridge fits. It was built for 2.10; tensors are laid out anew in 2.13.</summary>
internal static class TorchVersion
{
    /// <summary>Their beginnings.</summary>
    public static IReadOnlyList<string> Fitting { get; } = ["2.10", "2.11", "2.12"];

    /// <param name="found">Such as 2.11.0, or null where the library does not say.</param>
    /// <param name="folder">Where it lies.</param>
    /// <exception cref="EngineException">Another version, which may load and then compute nonsense.</exception>
    public static void Require(string? found, string folder)
    {
        if (found is null || !Fitting.Any(version => found == version || found.StartsWith(version + ".", StringComparison.Ordinal)))
            throw EngineException.WrongVersion(folder, found ?? "of a version it does not name", Fitting);
    }
}
