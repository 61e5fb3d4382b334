using System.Text.Json.Nodes;
using LlmStageAudit.Checkpoints.Tokenization;

namespace LlmStageAudit.Checkpoints.Tests.Tokenization;

/// <summary>A small tokenizer.json of the parts a test is about.</summary>
internal sealed class SmallTokenizer
{
    public List<string> Vocabulary { get; init; } = [];

    public List<string> Merges { get; init; } = [];

    /// <summary>JSON of each part; null parts are written as null.</summary>
    public string? Normalizer { get; init; }

    public string? PreTokenizer { get; init; }

    public string? PostProcessor { get; init; }

    public string? Decoder { get; init; }

    public string AddedTokens { get; init; } = "[]";

    /// <summary>More properties of the model, as a JSON object.</summary>
    public string Model { get; init; } = "{}";

    public string Json()
    {
        var model = JsonNode.Parse(Model)!.AsObject();
        model["type"] ??= "BPE";
        model["vocab"] = new JsonObject(Vocabulary.Select((token, id) => KeyValuePair.Create<string, JsonNode?>(token, id)));
        model["merges"] = new JsonArray(Merges.Select(merge => (JsonNode?)merge).ToArray());
        return new JsonObject
        {
            ["version"] = "1.0",
            ["truncation"] = null,
            ["padding"] = null,
            ["added_tokens"] = JsonNode.Parse(AddedTokens),
            ["normalizer"] = Part(Normalizer),
            ["pre_tokenizer"] = Part(PreTokenizer),
            ["post_processor"] = Part(PostProcessor),
            ["decoder"] = Part(Decoder),
            ["model"] = model,
        }.ToJsonString();
    }

    public HuggingFaceTokenizer Load() => LoadText(Json());

    /// <summary>The same file with another part.</summary>
    public HuggingFaceTokenizer With(string part, string? json)
    {
        var file = JsonNode.Parse(Json())!;
        file[part] = Part(json);
        return LoadText(file.ToJsonString());
    }

    public static HuggingFaceTokenizer LoadText(string json) => LoadBytes(System.Text.Encoding.UTF8.GetBytes(json));

    public static HuggingFaceTokenizer LoadBytes(byte[] json)
    {
        var path = Path.Combine(Path.GetTempPath(), $"tokenizer-{Guid.NewGuid():N}.json");
        try
        {
            File.WriteAllBytes(path, json);
            return HuggingFaceTokenizer.Load(path);
        }
        finally
        {
            File.Delete(path);
        }
    }

    /// <summary>The tokens of a text, one string each.</summary>
    public static string[] Tokens(HuggingFaceTokenizer tokenizer, string text) =>
        tokenizer.Encode(text, addSpecialTokens: false).Select(id => tokenizer.Decode([id], skipSpecialTokens: false)).ToArray();

    public static List<string> Letters(string letters) => letters.Select(letter => letter.ToString()).ToList();

    private static JsonNode? Part(string? json) => json is null ? null : JsonNode.Parse(json);
}
