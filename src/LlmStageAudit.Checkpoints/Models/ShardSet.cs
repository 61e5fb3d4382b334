using LlmStageAudit.Checkpoints.Safetensors;

namespace LlmStageAudit.Checkpoints.Models;

/// <summary>The open weight files of a model folder with one table over all of their tensors.</summary>
internal sealed class ShardSet : IDisposable
{
    private const long LongestIndexBytes = 64 << 20;
    private const int MostShards = 10_000;

    private readonly List<SafetensorsFile> _files = [];
    private readonly OrderedDictionary<string, (SafetensorsFile File, TensorEntry Entry)> _tensors = new(StringComparer.Ordinal);
    private readonly List<string> _fileNames = [];

    private ShardSet()
    {
    }

    public static IReadOnlyDictionary<string, (SafetensorsFile File, TensorEntry Entry)> NoTensors { get; } =
        new Dictionary<string, (SafetensorsFile File, TensorEntry Entry)>();

    public IReadOnlyDictionary<string, (SafetensorsFile File, TensorEntry Entry)> Tensors => _tensors;

    /// <summary>Names of the weight files and, where there is one, of the index.</summary>
    public IReadOnlyList<string> FileNames => _fileNames;

    public static ShardSet OpenSingle(string folder, string fileName) =>
        Fill(set => set.Add(folder, fileName, source: System.IO.Path.Combine(folder, fileName)));

    /// <summary>
    /// Opens every shard that the index's weight_map names. Shards must lie in the folder itself, hold what the index says, and share no
    /// tensor; a tensor that the index leaves out is kept, as transformers keeps it.
    /// </summary>
    public static ShardSet OpenIndexed(string folder, string indexName)
    {
        var indexPath = System.IO.Path.Combine(folder, indexName);
        var json = JsonFile.ReadBytes(indexPath, LongestIndexBytes, ModelFolderException.At);
        var index = JsonFile.ParseObject(indexPath, json, ModelFolderException.At);
        var map = index.FindSection("weight_map") ?? throw index.Absent("weight_map", "an object from tensor to file name");
        var places = map.Strings().ToList();
        var shards = places.Select(place => place.Text).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal).ToList();
        if (shards.Count is 0 or > MostShards)
        {
            throw ModelFolderException.At(indexPath, $"names {shards.Count} shards", $"1 to {MostShards}");
        }

        foreach (var shard in shards)
        {
            var isPlain = shard.EndsWith(".safetensors", StringComparison.Ordinal) && shard.IndexOfAny(['/', '\\', ':', '\0']) < 0;
            if (!isPlain) throw ModelFolderException.ShardName(indexPath, shard);
            if (!File.Exists(System.IO.Path.Combine(folder, shard))) throw ModelFolderException.ShardAbsent(indexPath, shard);
        }

        return Fill(set =>
        {
            foreach (var shard in shards) set.Add(folder, shard, indexPath);
            set._fileNames.Add(indexName);
            foreach (var (name, file) in places)
            {
                var isThere = set._tensors.TryGetValue(name, out var found) && System.IO.Path.GetFileName(found.File.Path) == file;
                if (!isThere) throw ModelFolderException.NotInShard(indexPath, name, file);
            }
        });
    }

    public void Dispose()
    {
        foreach (var file in _files) file.Dispose();
    }

    private static ShardSet Fill(Action<ShardSet> fill)
    {
        var set = new ShardSet();
        try
        {
            fill(set);
            return set;
        }
        catch
        {
            set.Dispose();
            throw;
        }
    }

    private void Add(string folder, string fileName, string source)
    {
        var file = SafetensorsFile.Open(System.IO.Path.Combine(folder, fileName));
        _files.Add(file);
        _fileNames.Add(fileName);
        foreach (var (name, entry) in file.Tensors)
        {
            if (_tensors.TryAdd(name, (file, entry))) continue;
            var first = System.IO.Path.GetFileName(_tensors[name].File.Path);
            throw ModelFolderException.InTwoShards(source, name, first, fileName);
        }
    }
}
