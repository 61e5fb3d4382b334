namespace LlmStageAudit.Checkpoints.Tests.Tokenization.Reference;

/// <summary>
/// A test against the reference tokenizers; skipped with a reason where a tokenizer file is absent, or Node, or a registry to
/// install from.
/// </summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class ReferenceFactAttribute : FactAttribute
{
    public ReferenceFactAttribute(string file) =>
        Skip = File.Exists(SharedData.PathOf(file)) ? ReferenceInstallation.Absence : $"no shared/{file} beside the repository";
}

/// <inheritdoc cref="ReferenceFactAttribute"/>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class ReferenceTheoryAttribute : TheoryAttribute
{
    public ReferenceTheoryAttribute(string file) => Skip = new ReferenceFactAttribute(file).Skip;
}
