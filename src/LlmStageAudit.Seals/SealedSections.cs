namespace LlmStageAudit.Seals;

/// <summary>Compares parts of manifests.</summary>
internal static class SealedSections
{
    /// <summary>Fields that are on one side only or differ, in the order of the sealed ones.</summary>
    public static IReadOnlyList<string> Difference(IReadOnlyList<SealedSection> expected, IReadOnlyList<SealedSection> found)
    {
        var known = new Dictionary<string, string>();
        foreach (var section in found) known.TryAdd(section.Field, section.Sha256);
        var changed = expected.Where(section => known.GetValueOrDefault(section.Field) != section.Sha256).Select(section => section.Field);
        return [.. changed.Concat(known.Keys.Except(expected.Select(section => section.Field)))];
    }
}
