using System.Text.Json;
using LlmStageAudit.Cli.Tests.Surface;
using LlmStageAudit.Testing;

namespace LlmStageAudit.Cli.Tests.Walk;

public sealed class TokenizeTests
{
    private const string Pythia = "data/pythia/tokenizer.json";

    [SharedFact(Pythia)]
    public void Lines_of_text_become_lines_of_ids()
    {
        var outcome = Tokenize("{\"text\":\"Hello world\"}\n\n{\"text\":\"\",\"id\":7}\n{\"text\":\"caf\\u00e9\\n1234\"}\n");
        Assert.Equal(0, outcome.ExitCode);
        Assert.Empty(outcome.Error);
        var rows = outcome.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(line => JsonSerializer.Deserialize<Dictionary<string, int[]>>(line)!["ids"]).ToArray();
        Assert.Equal(3, rows.Length);
        Assert.Equal([12092, 1533], rows[0]);
        Assert.Empty(rows[1]);
        Assert.NotEmpty(rows[2]);
    }

    [SharedTheory(Pythia)]
    [InlineData("{\"text\":\"a\"}\nnot json\n", 1)]
    [InlineData("{\"text\":\"a\"}\n{\"comment\":\"a\"}\n", 1)]
    [InlineData("{\"text\":\"a\"}\n{\"text\":3}\n", 1)]
    [InlineData("{\"text\":\"a\"}\n[\"text\"]\n", 1)]
    public void A_line_without_text_is_named(string input, int linesBefore)
    {
        var outcome = Tokenize(input);
        Assert.Equal(3, outcome.ExitCode);
        var line = Assert.Single(outcome.ErrorLines);
        Assert.Contains("standard input, line 2", line);
        Assert.Contains("expected {\"text\": \"...\"}", line);
        Assert.Equal(linesBefore, outcome.Output.Count(character => character == '\n'));
    }

    [Fact]
    public void A_tokenizer_that_is_not_there_is_named()
    {
        var outcome = CommandLine.Run("tokenize", "--tokenizer", "/no/such/tokenizer.json");
        Assert.Equal(3, outcome.ExitCode);
        Assert.Contains("/no/such/tokenizer.json", Assert.Single(outcome.ErrorLines));
    }

    private static CommandOutcome Tokenize(string input)
    {
        var before = Console.In;
        try
        {
            Console.SetIn(new StringReader(input));
            return CommandLine.Run("tokenize", "--tokenizer", SharedData.At(Pythia.Split('/')));
        }
        finally
        {
            Console.SetIn(before);
        }
    }
}
