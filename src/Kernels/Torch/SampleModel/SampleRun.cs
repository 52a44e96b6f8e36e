using EgpuFleet.Kernels.Torch.Model;
using EgpuFleet.Kernels.Torch.SampleModel.Corpus;
using EgpuFleet.Kernels.Torch.Tokenizing;
using EgpuFleet.Kernels.Torch.Training;

namespace EgpuFleet.Kernels.Torch.SampleModel;

/// <summary>
/// The way of the sample model: text, vocabulary, training, file. The file is rewritten every so many steps, so that a
/// run may be cut at any time.
/// </summary>
public sealed class SampleRun(SampleRecipe recipe, TextWriter log, TimeProvider time)
{
    private const int ReportEverySteps = 50;
    private const int SaveEverySteps = 200;
    private const int HeldOutRows = 32;

    private static readonly string[] Shown =
    [
        "Once upon a time",
        "The little fox",
        "The scheduler",
        "What is a GPU?",
        "Who are you?",
        "Tell me a short story about a fox.",
    ];

    /// <summary>Trains and writes the model.</summary>
    /// <param name="path">Of the GGUF file.</param>
    /// <param name="cancellation">Cuts the run after the present step; the file is still written.</param>
    public void Execute(string path, CancellationToken cancellation)
    {
        CorpusDocument[] documents = [.. CorpusGenerator.Generate(recipe.Documents, recipe.Training.Seed)];
        var vocabulary = BpeTrainer.Train(
            documents.SelectMany(document => document.Parts).Where(part => !part.IsSpecial).Select(part => part.Text),
            recipe.Config.Vocabulary
        );
        var rows = Rows(documents, vocabulary);
        var heldOut = Rows(CorpusGenerator.Generate(recipe.HeldOutDocuments, recipe.Training.Seed + 1), vocabulary);
        var characters = documents.Sum(document => (long)document.Text.Length);
        log.WriteLine($"{documents.Length} documents, {characters} characters, {rows.Count} rows");
        using var model = new LlamaModel(recipe.Config, recipe.Training.Seed);
        Train(path, model, vocabulary, rows, heldOut, cancellation);
        Show(model, vocabulary);
    }

    private void Train(
        string path,
        LlamaModel model,
        BpeVocabulary vocabulary,
        TokenRows rows,
        TokenRows heldOut,
        CancellationToken cancellation
    )
    {
        using var trainer = new Trainer(model, rows, recipe.Training);
        var start = time.GetTimestamp();
        var losses = new List<float>();
        while (trainer.Step < recipe.Training.Steps && !cancellation.IsCancellationRequested)
        {
            losses.Add(trainer.Advance());
            if (trainer.Step % ReportEverySteps == 0)
                Report(trainer.Step, losses, time.GetElapsedTime(start));
            if (trainer.Step % SaveEverySteps == 0)
                ModelExport.Write(path, recipe.Name, model, vocabulary);
        }
        ModelExport.Write(path, recipe.Name, model, vocabulary);
        var held = Trainer.Evaluate(model, heldOut, HeldOutRows);
        log.WriteLine($"step {trainer.Step}: held-out loss {held:F3}; wrote {path}");
    }

    private void Report(int step, List<float> losses, TimeSpan elapsed)
    {
        var left = elapsed / step * (recipe.Training.Steps - step);
        log.WriteLine(
            $"step {step}/{recipe.Training.Steps} loss {losses.Average():F3} "
                + $"elapsed {elapsed:hh\\:mm\\:ss} left {left:hh\\:mm\\:ss}"
        );
        log.Flush();
        losses.Clear();
    }

    private void Show(LlamaModel model, BpeVocabulary vocabulary)
    {
        var stops = SpecialTokens.All.Select(vocabulary.IdOf).ToHashSet();
        foreach (var text in Shown)
        {
            var parts = text[^1] is '?' or '.' ? CorpusGenerator.ChatPrompt(text) : [CorpusPart.Plain(text)];
            int[] prompt = [.. new CorpusDocument(parts).Tokens(vocabulary)];
            var answer = vocabulary.Decode(Trainer.Continue(model, prompt, 100, stops));
            log.WriteLine($"[{text}] {answer}");
        }
    }

    private TokenRows Rows(IEnumerable<CorpusDocument> documents, BpeVocabulary vocabulary)
    {
        int[] tokens = [.. documents.SelectMany(document => document.Tokens(vocabulary))];
        log.WriteLine($"{tokens.Length} tokens");
        return new TokenRows(tokens, vocabulary.IdOf(SpecialTokens.EndOfText), recipe.Training.RowTokens);
    }
}
