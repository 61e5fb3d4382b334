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
    private static readonly OrderedDictionary<string, TEnum> s_values = new(
        typeof(TEnum).GetFields(BindingFlags.Public | BindingFlags.Static).Select(field => KeyValuePair.Create(
            field.GetCustomAttribute<JsonStringEnumMemberNameAttribute>()?.Name ?? JsonNamingPolicy.KebabCaseLower.ConvertName(field.Name),
            (TEnum)field.GetValue(null)!)),
        StringComparer.Ordinal);

    /// <summary>Every spelling, in declaration order.</summary>
    public static IReadOnlyList<string> All { get; } = [.. s_values.Keys];

    /// <summary>The spelling of a value.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is not declared.</exception>
    public static string Of(TEnum value) => s_values.FirstOrDefault(pair => pair.Value.Equals(value)).Key
        ?? throw new ArgumentOutOfRangeException(nameof(value), value, null);

    /// <summary>Case counts: each value has exactly one spelling.</summary>
    public static bool TryParse(string text, out TEnum value) => s_values.TryGetValue(text, out value);
}
