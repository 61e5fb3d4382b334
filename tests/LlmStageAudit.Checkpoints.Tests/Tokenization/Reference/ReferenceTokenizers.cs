using System.Text.Json;

namespace LlmStageAudit.Checkpoints.Tests.Tokenization.Reference;

/// <summary>What the reference makes of one text.</summary>
/// <param name="Ids">Ids without the file's template.</param>
/// <param name="Offsets">The start and the end of each, in code points of the given text.</param>
/// <param name="Special">Ids with the template's special tokens.</param>
/// <param name="Decoded">The text of <paramref name="Ids"/>, special tokens kept.</param>
internal sealed record ReferenceAnswer(int[] Ids, int[][] Offsets, int[] Special, string Decoded);

/// <summary>Hugging Face's tokenizers, run by Node.</summary>
internal static class ReferenceTokenizers
{
    private static readonly TimeSpan EncodeLimit = TimeSpan.FromSeconds(120);
    private static readonly JsonSerializerOptions Web = new(JsonSerializerDefaults.Web);

    /// <summary>One answer a text, in the texts' order.</summary>
    public static List<ReferenceAnswer> Encode(string tokenizerPath, IReadOnlyList<string> texts)
    {
        using var node = ReferenceInstallation.Run("encode.mjs", Path.GetFullPath(tokenizerPath));
        using var deadline = new CancellationTokenSource(EncodeLimit);
        using var stop = deadline.Token.Register(() => node.Kill(entireProcessTree: true));
        var errors = node.StandardError.ReadToEndAsync(CancellationToken.None);

        // The default encoder escapes everything but ASCII, so that no character of a text can end a line.
        var feeding = Task.Run(() =>
        {
            using var input = node.StandardInput;
            foreach (var text in texts) input.WriteLine(JsonSerializer.Serialize(text));
        });
        var answers = new List<ReferenceAnswer>(texts.Count);
        while (node.StandardOutput.ReadLine() is { } line) answers.Add(JsonSerializer.Deserialize<ReferenceAnswer>(line, Web)!);
        node.WaitForExit();
        if (node.ExitCode != 0 || answers.Count != texts.Count)
        {
            var message = $"node: exit code {node.ExitCode} after {answers.Count} of {texts.Count} texts; {errors.Result}";
            throw new InvalidOperationException(message);
        }

        feeding.Wait(CancellationToken.None);
        return answers;
    }
}
