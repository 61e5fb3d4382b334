using System.Reflection;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace LlmStageAudit.Records.Serialization;

/// <summary>
/// The one spelling of an enum's values in YAML, JSON and on the command line: kebab case
/// (<c>SequenceClassification</c> is <c>sequence-classification</c>) unless <see cref="JsonStringEnumMemberNameAttribute"/> says otherwise.
/// </summary>
public static class EnumSpelling<TEnum>
    where TEnum : struct, Enum
{
    private static readonly (TEnum Value, string Spelling)[] Pairs = typeof(TEnum)
        .GetFields(BindingFlags.Public | BindingFlags.Static)
        .Select(field => (
            (TEnum)field.GetValue(null)!,
            field.GetCustomAttribute<JsonStringEnumMemberNameAttribute>()?.Name ?? JsonNamingPolicy.KebabCaseLower.ConvertName(field.Name)))
        .ToArray();

    /// <summary>Every spelling, in declaration order.</summary>
    public static IReadOnlyList<string> All { get; } = Array.AsReadOnly(Pairs.Select(pair => pair.Spelling).ToArray());

    /// <summary>The spelling of a value.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is not declared.</exception>
    public static string Of(TEnum value)
    {
        foreach (var pair in Pairs)
        {
            if (EqualityComparer<TEnum>.Default.Equals(pair.Value, value)) return pair.Spelling;
        }

        throw new ArgumentOutOfRangeException(nameof(value), value, null);
    }

    /// <summary>Case counts: each value has exactly one spelling.</summary>
    public static bool TryParse(string text, out TEnum value)
    {
        foreach (var pair in Pairs)
        {
            if (!string.Equals(pair.Spelling, text, StringComparison.Ordinal)) continue;
            value = pair.Value;
            return true;
        }

        value = default;
        return false;
    }
}
