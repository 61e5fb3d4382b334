using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using System.Xml;
using System.Xml.Linq;
using LlmStageAudit.Records.Serialization;
using LlmStageAudit.Reporting.Findings;

namespace LlmStageAudit.Reporting.Tests;

/// <summary>
/// Markup in every text field of everything a report is made of, found by the records' own shape so that no new field is forgotten.
/// </summary>
public sealed partial class HtmlReportEveryFieldTests
{
    private static readonly string[] Payloads =
    [
        "</script><img src=x onerror=alert(1)>\"'&",
        "\"><svg onload=alert(1)>",
        "' onmouseover='alert(1)",
        "]]><script>alert(1)</script>",
        "<!--",
        "-->",
        "&lt;b&gt;&#60;",
        "javascript:alert(1)",
        "\u2028\u2029\u202E\u0000\u001B[31m\uFFFE",
        "</title></style></textarea><b>",
        "url(#x) expression(1)",
        "{{7*7}}${7*7}",
    ];

    public static TheoryData<string> All => [.. Payloads];

    [Theory]
    [MemberData(nameof(All))]
    public void Markup_in_any_field_stays_text(string payload)
    {
        var whole = SampleAudit.Inputs();
        var (changed, count) = Changed(whole, payload);
        Assert.True(count > 80, $"only {count} texts were changed");

        // The same records with a harmless letter in the same places: names that no longer agree have notes of their own.
        var expected = Shape(Parse(HtmlReport.Render(Changed(whole, "x").Inputs)));
        var page = HtmlReport.Render(changed);
        var parsed = Parse(page);
        Assert.Empty(Shape(parsed).Except(expected));
        Assert.Single(ScriptTag().Matches(page));
        Assert.Equal(1, page.Split("</script").Length - 1);
        Assert.DoesNotContain("<!--", page);
        foreach (var attribute in parsed.Descendants().Attributes())
        {
            Assert.DoesNotContain("javascript:", attribute.Name.LocalName is "href" or "src" ? attribute.Value : "");
            if (attribute.Name.LocalName is "style" or "fill" or "class" or "id") Assert.DoesNotContain("alert", attribute.Value);
        }

        // What JSON the page carries says the same as the records did.
        using var numbers = JsonDocument.Parse(parsed.Descendants("script").Single().Value);
        Assert.Equal(changed.Run.RunId, numbers.RootElement.GetProperty("runId").GetString());
    }

    private static (ReportInputs Inputs, int Count) Changed(ReportInputs whole, string payload)
    {
        var root = JsonSerializer.SerializeToNode(whole, ArtifactJson.Options)!;
        var count = 0;
        foreach (var value in Texts(root).ToArray())
        {
            var before = value.GetValue<string>();
            var changed = JsonValue.Create(before + payload);
            value.ReplaceWith(changed);

            // A date, or the word for a choice, takes no such text; then it stays what it was.
            if (Read(root) is null) changed.ReplaceWith(JsonValue.Create(before));
            else count++;
        }

        foreach (var metrics in Objects(root, "metrics").ToArray())
        {
            foreach (var (key, value) in metrics.ToArray())
            {
                metrics.Remove(key);
                metrics[key + payload] = value;
            }
        }

        return (Read(root)!, count);
    }

    private static ReportInputs? Read(JsonNode root)
    {
        try
        {
            return root.Deserialize<ReportInputs>(ArtifactJson.Options);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    // Texts, but of lists only the first two items: the others are of the same kind.
    private static IEnumerable<JsonValue> Texts(JsonNode? node) => node switch
    {
        JsonObject record => record.ToArray().SelectMany(pair => Texts(pair.Value)),
        JsonArray list => list.Take(2).SelectMany(Texts),
        JsonValue value when value.GetValueKind() == JsonValueKind.String => [value],
        _ => [],
    };

    private static IEnumerable<JsonObject> Objects(JsonNode? node, string name) => node switch
    {
        JsonObject record => record.SelectMany(
            pair => pair.Key == name && pair.Value is JsonObject found ? [found] : Objects(pair.Value, name)),
        JsonArray list => list.SelectMany(item => Objects(item, name)),
        _ => [],
    };

    /// <summary>Every element with its attributes' names, as they stand below each other.</summary>
    private static HashSet<string> Shape(XDocument page) =>
    [
        .. page.Descendants().SelectMany(element => element.Attributes()
            .Select(attribute => $"{element.Name.LocalName} {attribute.Name.LocalName}")
            .Append(element.Name.LocalName)),
    ];

    private static XDocument Parse(string page)
    {
        using var reader = XmlReader.Create(new StringReader(page), new XmlReaderSettings { DtdProcessing = DtdProcessing.Ignore });
        return XDocument.Load(reader);
    }

    [GeneratedRegex("<script", RegexOptions.IgnoreCase)]
    private static partial Regex ScriptTag();
}
