using System.Text.Json;
using EgpuFleet.Kernels.Formats.Grammars;
using EgpuFleet.TestKit.Schemas;

namespace EgpuFleet.Formats.Tests.Grammars;

/// <summary>What a grammar makes satisfies its schema: told by a validator that is none of ours.</summary>
public sealed class SchemaSamplingTests(ITestOutputHelper output)
{
    private const int Schemas = 1000;
    private const int Samples = 10;

    [Fact]
    public async Task Every_text_of_a_thousand_random_schemas_validates()
    {
        List<(Ajv.Case Case, string Grammar)> made = [];
        var impossible = 0;
        for (var seed = 0; made.Count < Schemas; seed++)
        {
            var random = new Random(seed);
            var schema = new RandomSchema(random).Next().ToJsonString();
            try
            {
                var grammar = Grammar(schema);
                var sampler = new GbnfSampler(GbnfReader.Read(grammar), random);
                Assert.True(sampler.EveryRuleEnds, $"{schema}\n{grammar}");
                made.Add((new(schema, [.. Enumerable.Range(0, Samples).Select(_ => sampler.Sample())]), grammar));
            }
            // Such as an object that must hold itself. The random schemas say nothing else that is refused.
            catch (SchemaException e) when (e.Code == SchemaFault.Impossible)
            {
                impossible++;
            }
        }
        var faults = await Ajv.JudgeAsync(made.Select(one => one.Case), TestContext.Current.CancellationToken);
        Assert.Equal(Schemas * Samples, faults.Count);
        var wrong = Enumerable.Range(0, faults.Count).Where(nth => faults[nth].Length > 0).ToList();
        output.WriteLine(
            $"{made.Count} schemas, {faults.Count} texts, {wrong.Count} wrong; {impossible} that nothing satisfies"
        );
        Assert.True(wrong.Count == 0, string.Join("\n\n", wrong.Take(3).Select(Tell)));
        Assert.InRange(impossible, 0, Schemas / 10);

        string Tell(int nth)
        {
            var ((schema, texts), grammar) = made[nth / Samples];
            return $"{faults[nth]}\n{texts[nth % Samples]}\n{schema}\n{grammar}";
        }
    }

    private static string Grammar(string schema)
    {
        using var document = JsonDocument.Parse(schema);
        return SchemaGrammar.Of(document.RootElement);
    }
}
