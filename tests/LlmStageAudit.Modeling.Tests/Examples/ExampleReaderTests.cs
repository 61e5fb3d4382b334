using LlmStageAudit.Checkpoints;
using LlmStageAudit.Checkpoints.Comments;
using LlmStageAudit.Checkpoints.Tokenization;
using LlmStageAudit.Foundation.Errors;
using LlmStageAudit.Modeling.Models;
using LlmStageAudit.Records.Configuration;
using LlmStageAudit.Testing;

namespace LlmStageAudit.Modeling.Tests.Examples;

public sealed class ExampleReaderTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly List<IDisposable> _owned = [];

    [Fact]
    public void Rows_are_filtered_then_limited_and_keep_ids_and_places()
    {
        var path = _folder.Write("rows.csv", "id,text,label,keep\na,one,1,1\nb,two,0,0\n,three,0,1\nd,four,1,1\n");
        var set = Reader(WithTokenizer()).Read(new DatasetSection { Path = path, Where = "keep == 1", Limit = 2 });
        Assert.Equal([("a", 1, 0), ("3", 0, 2)], set.Examples.Select(example => (example.Id, example.Label, example.RowIndex)));
        Assert.Equal("three", set.RowOf(set.Examples[1]).Text("text"));
        // Bytes are the tokens: two special ones, then the 256 bytes in the order of their printable signs.
        Assert.Equal(5, set.Examples[1].Ids.Length);
    }

    [Fact]
    public void Given_ids_need_no_tokenizer()
    {
        var path = _folder.Write("rows.jsonl", """{"ids": [4, 8, 15], "label": 1}""" + "\n" + """{"ids": [49], "label": 0}""" + "\n");
        var set = Reader(Model()).Read(new DatasetSection { Path = path, Ids = "ids" });
        Assert.Equal([[4, 8, 15], [49]], set.Examples.Select(example => example.Ids));
        Assert.Equal(["1", "2"], set.Examples.Select(example => example.Id));
    }

    [Fact]
    public void A_label_expression_may_stand_in_for_the_sections_own()
    {
        var path = _folder.Write(
            "rows.jsonl",
            """{"ids": [4], "label": 1, "christian": 0.2}""" + "\n" + """{"ids": [5], "label": 0, "christian": 0.5}""" + "\n");
        var set = Reader(Model()).Read(new DatasetSection { Path = path, Ids = "ids" }, labelOverride: "christian >= 0.5");
        Assert.Equal([0, 1], set.Examples.Select(example => example.Label));
    }

    [Fact]
    public void The_format_of_civil_comments_is_known()
    {
        var path = _folder.Write("civil.csv", "id,comment_text,toxicity\n1,calm,0.1\n2,cross,0.5\n3,odd,\n");
        var set = Reader(WithTokenizer()).Read(new DatasetSection { Path = path, Format = DatasetSection.CivilComments });
        Assert.Equal([0, 1, 0], set.Examples.Select(example => example.Label));
    }

    [Fact]
    public void Long_texts_lose_their_end()
    {
        var path = _folder.Write("rows.jsonl", """{"ids": [1, 2, 3, 4, 5, 6], "label": 1}""" + "\n");
        Assert.Equal([1, 2, 3, 4], Reader(Model(), maxLength: 4).Read(new DatasetSection { Path = path, Ids = "ids" }).Examples[0].Ids);
        // Never longer than what the model takes: 24 positions.
        path = _folder.Write("long.jsonl", $$"""{"ids": [{{string.Join(", ", Enumerable.Repeat(7, 40))}}], "label": 1}""" + "\n");
        Assert.Equal(24, Reader(Model(), maxLength: 1000).Read(new DatasetSection { Path = path, Ids = "ids" }).Examples[0].Ids.Length);
    }

    [Theory]
    [InlineData(20, "abcdef", "xyz", "abcdefxyz", 6)]
    [InlineData(7, "abcdef", "xyz", "cdefxyz", 4)] // the prompt gives way, from its beginning
    [InlineData(4, "abcdef", "xyz", "fxyz", 1)]
    [InlineData(3, "abcdef", "xyz", "fxy", 1)] // a token of the prompt stays to predict the first from
    public void A_prompt_gives_way_to_its_completion(int maxLength, string prompt, string completion, string kept, int promptTokens)
    {
        var path = _folder.Write("rows.csv", $"text,answer\n{prompt},{completion}\n");
        var model = WithTokenizer(ModelTask.CausalLm);
        var example = Reader(model, maxLength).Read(new DatasetSection { Path = path, Text = "text", Completion = "answer" }).Examples[0];
        Assert.Equal(HuggingFaceTokenizer.Load(model.Folder.TokenizerPath!).Encode(kept, addSpecialTokens: false), example.Ids);
        Assert.Equal((promptTokens, -1), (example.PromptTokens, example.Label));
    }

    [Theory]
    [InlineData("""{"ids": [4], "label": 2}""", ":2: row 2 has label 2; expected 0 to 1")]
    [InlineData("""{"ids": [4], "label": -1}""", ":2: row 2 has label -1; expected 0 to 1")]
    [InlineData("""{"ids": [4, 50], "label": 1}""", ":2: token id 50; expected 0 to 49")]
    [InlineData("""{"ids": [-3], "label": 1}""", ":2: token id -3; expected 0 to 49")]
    [InlineData("""{"ids": [], "label": 1}""", ":2: row 2 has 0 tokens; expected at least 1")]
    [InlineData("""{"ids": null, "label": 1}""", ":2: 'ids' holds no list of integers")]
    public void Bad_rows_are_named_by_file_and_line(string row, string expected)
    {
        var path = _folder.Write("rows.jsonl", """{"ids": [4], "label": 1}""" + "\n" + row + "\n");
        var error = Assert.Throws<ModelingException>(() => Reader(Model()).Read(new DatasetSection { Path = path, Ids = "ids" }));
        Assert.StartsWith(path + expected, error.Message, StringComparison.Ordinal);
        Assert.Equal(ErrorKind.Input, error.Kind);
    }

    [Fact]
    public void A_list_that_is_no_list_of_integers_is_refused()
    {
        var path = _folder.Write("rows.jsonl", """{"ids": "4 5", "label": 1}""" + "\n");
        Assert.Throws<CheckpointException>(() => Reader(Model()).Read(new DatasetSection { Path = path, Ids = "ids" }));
    }

    [Fact]
    public void An_empty_text_is_named_by_file_and_line()
    {
        var path = _folder.Write("rows.csv", "text,label\nfine,1\n\"\",0\n");
        var error = Assert.Throws<ModelingException>(() => Reader(WithTokenizer()).Read(new DatasetSection { Path = path }));
        Assert.StartsWith($"{path}:3: row 2 has 0 tokens", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_causal_model_needs_a_token_to_predict()
    {
        var path = _folder.Write("rows.jsonl", """{"ids": [4, 5]}""" + "\n" + """{"ids": [4]}""" + "\n");
        var error = Assert.Throws<ModelingException>(
            () => Reader(Model(ModelTask.CausalLm)).Read(new DatasetSection { Path = path, Ids = "ids" }));
        Assert.StartsWith($"{path}:2: row 2 has 1 tokens; expected at least 2", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_filter_that_selects_nothing_is_quoted()
    {
        var path = _folder.Write("rows.jsonl", """{"ids": [4], "label": 1}""" + "\n");
        var error = Assert.Throws<ModelingException>(
            () => Reader(Model()).Read(new DatasetSection { Path = path, Ids = "ids", Where = "label == 7" }));
        Assert.Contains("none of 1 rows passes where: label == 7", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_missing_column_is_answered_with_the_nearest()
    {
        var path = _folder.Write("rows.csv", "coment,label\nx,1\n");
        var error = Assert.Throws<ModelingException>(
            () => Reader(WithTokenizer()).Read(new DatasetSection { Path = path, Text = "comment" }));
        Assert.Contains("no column 'comment'; set data.text; did you mean 'coment'?", error.Message, StringComparison.Ordinal);
        Assert.Throws<ConfigurationException>(
            () => Reader(WithTokenizer()).Read(new DatasetSection { Path = path, Text = "coment", Label = "lable" }));
    }

    [Fact]
    public void Text_without_a_tokenizer_is_an_error()
    {
        var path = _folder.Write("rows.csv", "text,label\nx,1\n");
        var error = Assert.Throws<ModelingException>(() => Reader(Model()).Read(new DatasetSection { Path = path }));
        Assert.Contains("no tokenizer.json", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_tokenizer_of_another_model_is_found_out()
    {
        // The model knows 50 tokens, the tokenizer 258.
        var path = _folder.Write("rows.csv", "text,label\nfine,1\n");
        var error = Assert.Throws<ModelingException>(
            () => Reader(WithTokenizer(vocabulary: TinyModel.Vocabulary)).Read(new DatasetSection { Path = path }));
        Assert.StartsWith($"{path}:2: token id ", error.Message, StringComparison.Ordinal);
    }

    public void Dispose()
    {
        foreach (var owned in _owned) owned.Dispose();
        _folder.Dispose();
    }

    private static ExampleReader Reader(LanguageModel model, int? maxLength = null) => new(model, maxLength);

    private LanguageModel Model(ModelTask task = ModelTask.SequenceClassification, int vocabulary = TinyModel.Vocabulary)
    {
        var (model, state) = TinyModel.Load(TinyModel.Write(_folder, vocabulary: vocabulary), task);
        _owned.Add(model);
        _owned.Add(state);
        return model;
    }

    private LanguageModel WithTokenizer(ModelTask task = ModelTask.SequenceClassification, int vocabulary = 258)
    {
        TinyModel.Write(_folder);
        BytePairTrainer.Train([], 258, _folder.At("model", "tokenizer.json"));
        return Model(task, vocabulary);
    }
}
