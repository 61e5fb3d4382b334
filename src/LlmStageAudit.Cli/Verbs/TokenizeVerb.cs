using System.CommandLine;
using System.Text.Json;
using LlmStageAudit.Checkpoints.Comments;
using LlmStageAudit.Checkpoints.Tokenization;
using LlmStageAudit.Cli.Terminal;
using LlmStageAudit.Foundation.Errors;

namespace LlmStageAudit.Cli.Verbs;

internal static class TokenizeVerb
{
    private static readonly Option<string> s_tokenizer = new("--tokenizer", "-t") { Description = "A tokenizer.json", Required = true };
    private static readonly Option<bool> s_special = new("--add-special-tokens") { Description = "Add what the tokenizer's template adds" };

    public static Command Build() => Verb.Of(
        "tokenize",
        "Reads JSON lines with `text` from standard input and writes JSON lines with `ids`.",
        ["stageaudit tokenize --tokenizer models/pythia-70m/tokenizer.json < comments.jsonl > ids.jsonl"],
        [s_tokenizer, s_special],
        Run);

    private static void Run(VerbContext context)
    {
        var tokenizer = HuggingFaceTokenizer.Load(context.Get(s_tokenizer)!);
        var number = 0;
        while (Console.In.ReadLine() is { } line)
        {
            context.Cancellation.ThrowIfCancellationRequested();
            number++;
            if (string.IsNullOrWhiteSpace(line)) continue;
            context.Out.WriteLine($"{{\"ids\":[{string.Join(',', tokenizer.Encode(TextOf(line, number), context.Get(s_special)))}]}}");
        }
    }

    private static string TextOf(string line, int number)
    {
        try
        {
            using var document = JsonDocument.Parse(JsonSurrogates.Repair(line));
            if (document.RootElement.ValueKind == JsonValueKind.Object
                    && document.RootElement.TryGetProperty("text", out var text)
                    && text.ValueKind == JsonValueKind.String)
                return text.GetString()!;
        }
        catch (JsonException)
        {
            // Falls through to the same message: the line is not what it should be.
        }

        throw TextLineException.At(number);
    }
}

/// <summary>A line of standard input that holds no text.</summary>
internal sealed class TextLineException(string message) : InvalidInputException(message)
{
    public static TextLineException At(int line) =>
        new(Sentence($"standard input, line {line}", "no JSON object with a string `text`", "{\"text\": \"...\"}"));
}
