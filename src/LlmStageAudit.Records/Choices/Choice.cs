using System.Text.Json;
using System.Text.Json.Serialization;
using LlmStageAudit.Foundation.Errors;

namespace LlmStageAudit.Records.Choices;

/// <summary>A closed choice: its cases are the records nested in it, and each has one spelling, for files, flags and texts alike.</summary>
/// <typeparam name="TSelf">The choice itself.</typeparam>
public interface IChoice<TSelf>
    where TSelf : class, IChoice<TSelf>
{
    /// <summary>Reads what <see cref="object.ToString"/> writes.</summary>
    /// <exception cref="ConfigurationException">No such case, or a parameter that it does not have or that is out of range.</exception>
    static abstract TSelf Parse(string text);
}

/// <summary>
/// The one table that spells a closed choice: a row for each case, with the settings that act on it. A new case is a record and a row.
/// </summary>
/// <typeparam name="TChoice">The choice.</typeparam>
/// <typeparam name="TGiven">What can be set about it.</typeparam>
/// <param name="setting">What a user calls the choice.</param>
/// <param name="rows">In the order to list them.</param>
internal sealed class ChoiceTable<TChoice, TGiven>(Setting setting, params ChoiceRow<TChoice, TGiven>[] rows)
    where TChoice : class
{
    /// <summary>Every spelling.</summary>
    public IReadOnlyList<string> Names { get; } = [.. rows.Select(row => row.Name)];

    /// <summary>How a value's case is spelled.</summary>
    public string NameOf(TChoice choice) => rows.First(row => row.Case == choice.GetType()).Name;

    /// <summary>The case of that name.</summary>
    /// <param name="name">One of <see cref="Names"/>.</param>
    /// <param name="given">Parameters, for the case to take.</param>
    /// <param name="settings">Those of them that were set, with their values.</param>
    /// <exception cref="ConfigurationException">No such case, or one that a given parameter does not act on.</exception>
    public TChoice Of(string name, TGiven given, params IEnumerable<(Setting Setting, string Value)> settings)
    {
        if (rows.FirstOrDefault(row => row.Name == name) is not { } found)
            throw ConfigurationException.Bad(setting, name, string.Join(", ", Names), Suggestion.Nearest(name, Names));
        foreach (var (parameter, value) in settings)
        {
            if (found.Parameters.Contains(parameter)) continue;
            var takers = rows.Where(row => row.Parameters.Contains(parameter)).Select(row => row.Name);
            throw ConfigurationException.Bad(parameter, value, $"to be used with {setting} {string.Join(" or ", takers)}");
        }

        return found.Make(given);
    }
}

/// <summary>One case of a closed choice.</summary>
/// <param name="Name">How it is spelled.</param>
/// <param name="Case">Its record.</param>
/// <param name="Parameters">What can be set about it.</param>
/// <param name="Make">Makes it of what was given.</param>
internal sealed record ChoiceRow<TChoice, TGiven>(string Name, Type Case, Setting[] Parameters, Func<TGiven, TChoice> Make);

/// <summary>A closed choice in JSON: its spelling.</summary>
internal sealed class ChoiceJson<TChoice> : JsonConverter<TChoice>
    where TChoice : class, IChoice<TChoice>
{
    public override TChoice Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        try
        {
            return TChoice.Parse(reader.GetString()!);
        }
        catch (ConfigurationException exception)
        {
            throw new JsonException(exception.Message, exception);
        }
    }

    public override void Write(Utf8JsonWriter writer, TChoice value, JsonSerializerOptions options) =>
        writer.WriteStringValue(value.ToString());
}
