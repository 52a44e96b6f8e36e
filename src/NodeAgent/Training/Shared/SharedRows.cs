using EgpuFleet.Grains.Interfaces.Training;
using EgpuFleet.Kernels.Formats.Training;
using EgpuFleet.Kernels.Training;
using Microshards = EgpuFleet.Grains.Interfaces.Training.Microshards;

namespace EgpuFleet.NodeAgent.Training.Shared;

/// <summary>
/// The data of a shared run by its microshards: a function of the job alone, so that every member knows the same ones. Of
/// a microshard all samples are in rows of its own.
/// </summary>
internal sealed class SharedRows
{
    private readonly IReadOnlyList<TokenSample> samples;
    private readonly TrainParameters parameters;

    // Computing an epoch's order takes as long as it has samples.
    private (int Epoch, int[] Order) latest = (-1, []);

    public SharedRows(IReadOnlyList<TokenSample> samples, TrainParameters parameters, DataParallelParameters shared)
    {
        (this.samples, this.parameters) = (samples, parameters);
        Cut = new Microshards(samples.Count, SizeOf(samples, parameters, shared), parameters.Epochs);
    }

    public Microshards Cut { get; }

    /// <summary>Rows of all epochs together.</summary>
    public long CountRows() =>
        Enumerable.Range(0, Cut.Count).Sum(microshard => (long)RowsOf(PlacesOf(microshard)).Length);

    /// <summary>Steps of all epochs together, when each batch is of one microshard.</summary>
    public long CountSteps() =>
        Enumerable
            .Range(0, Cut.Count)
            .Sum(microshard =>
                (RowsOf(PlacesOf(microshard)).Length + parameters.BatchRows - 1L) / parameters.BatchRows
            );

    /// <summary>The batches of a microshard, one a step; the last one may have fewer rows.</summary>
    public IEnumerable<TrainBatch> Batches(int microshard) =>
        RowPacking
            .Pack([.. SamplesOf(microshard)], parameters.RowTokens)
            .Chunk(parameters.BatchRows)
            .Select(TrainBatch.Of);

    /// <summary>
    /// About as many samples as make the steps between two rounds, where the data is enough for some rounds of all members;
    /// many such steps are several microshards.
    /// </summary>
    private static int SizeOf(
        IReadOnlyList<TokenSample> samples,
        TrainParameters parameters,
        DataParallelParameters shared
    )
    {
        var rows = samples.Sum(sample => (double)sample.Places) / parameters.RowTokens;
        var samplesPerStep = samples.Count * parameters.BatchRows / Math.Max(rows, 1);
        var most = Math.Clamp(samples.Count / (Limits.LeastRounds * shared.Devices), 1, Microshards.UsualSize);
        return (int)Math.Clamp(Math.Round(shared.Steps * samplesPerStep), 1, most);
    }

    private int[][] RowsOf(IEnumerable<int> places) => RowPacking.Assign([.. places], parameters.RowTokens);

    private IEnumerable<int> PlacesOf(int microshard) => SamplesOf(microshard).Select(sample => sample.Places);

    private IEnumerable<TokenSample> SamplesOf(int microshard)
    {
        var (epoch, part) = Cut.Of(microshard);
        if (latest.Epoch != epoch)
            latest = (epoch, SampleOrder.Permutation(unchecked((ulong)parameters.Seed), epoch, samples.Count));
        return latest.Order[part].Select(index => samples[index]);
    }
}
