using EgpuFleet.Kernels.Torch.SampleModel;
using EgpuFleet.Kernels.Torch.SampleModel.Corpus;
using EgpuFleet.TestKit;

namespace EgpuFleet.Torch.Tests;

public sealed class CorpusTests
{
    private static readonly int Seed = SampleRecipe.TinyFleet(1).Training.Seed;

    [Fact]
    public void Equal_seeds_give_equal_texts_and_no_slot_stays_open()
    {
        var texts = CorpusGenerator.Generate(2_000, Seed).Select(document => document.Text).ToArray();
        Assert.Equal(texts, CorpusGenerator.Generate(2_000, Seed).Select(document => document.Text));
        Assert.NotEqual(texts, CorpusGenerator.Generate(2_000, Seed + 1).Select(document => document.Text));
        Assert.All(texts, text => Assert.DoesNotContain('{', text));
        Assert.True(texts.Distinct(StringComparer.Ordinal).Count() > 1_200);
    }

    [Fact]
    public void Sentences_begin_with_a_capital_letter_and_articles_fit()
    {
        foreach (var text in CorpusGenerator.Generate(2_000, Seed).SelectMany(document => document.Parts))
        {
            Assert.DoesNotMatch(@"\. [a-z]", text.Text);
            Assert.DoesNotMatch(@"\b[Aa] [aeio]", text.Text);
        }
    }

    [Fact]
    public void The_demo_prompts_are_those_of_the_generator()
    {
        var lines = File.ReadAllLines(RepositoryPaths.At("samples", "prompts", "demo-200.jsonl"));
        Assert.Equal(DemoPrompts.Generate(200, Seed), lines);
        Assert.Equal(200, lines.Distinct(StringComparer.Ordinal).Count());
    }
}
