// The two charts, drawn by Chart.js, each with a table of the same data.

const INK = "#29231f";
const SOFT = "#6a6058";
const GRID = "#ece5da";
const BLUE = "#0072b2";
const FUNNEL = ["#56b4e9", "#0072b2", "#7a6fb8", "#e69f00", "#009e73"];
const MAX_WIDE_BARS = 12;
const drawn = {};

const percent = (part, whole) => (whole === 0 ? "–" : `${Math.round((100 * part) / whole)} %`);

/** Draws a text at the end of each bar. */
const barTexts = {
  id: "barTexts",
  afterDatasetsDraw(chart) {
    const { ctx, options } = chart;
    const horizontal = options.indexAxis === "y";
    ctx.save();
    ctx.fillStyle = INK;
    ctx.font = "600 12px system-ui, sans-serif";
    ctx.textBaseline = horizontal ? "middle" : "bottom";
    ctx.textAlign = horizontal ? "left" : "center";
    chart.getDatasetMeta(0).data.forEach((bar, index) => {
      const text = chart.data.datasets[0].texts[index];
      // The texts of thin bars would overlap.
      const fits = horizontal || ctx.measureText(text).width < bar.width * 1.3;
      if (text && fits) ctx.fillText(text, bar.x + (horizontal ? 6 : 0), bar.y - (horizontal ? 0 : 4));
    });
    ctx.restore();
  },
};

/** Draw or update a bar chart. Without the library there is only the table. */
function draw(name, { filled, labels, values, texts, colors, summary, options }) {
  const holder = document.querySelector(`[data-chart="${name}"]`);
  holder.classList.toggle("filled", filled && Boolean(window.Chart));
  if (!window.Chart) {
    holder.querySelector(".empty").textContent = "The chart library is not built; the data is in the table.";
    return;
  }
  holder.querySelector("canvas").setAttribute("aria-label", filled ? summary : "No data yet");
  const dataset = { data: values, texts, backgroundColor: colors, borderRadius: 4, maxBarThickness: 46 };
  if (!drawn[name]) {
    drawn[name] = new window.Chart(holder.querySelector("canvas"), {
      type: "bar",
      data: { labels, datasets: [dataset] },
      options: { responsive: true, maintainAspectRatio: false, animation: false, ...options },
      plugins: [barTexts],
    });
    return;
  }
  drawn[name].data.labels = labels;
  Object.assign(drawn[name].data.datasets[0], dataset);
  drawn[name].update();
}

function fillTable(name, rows) {
  const table = document.querySelector(`[data-table="${name}"]`);
  table.replaceChildren(
    ...rows.map((cells) => {
      const row = document.createElement("tr");
      row.append(
        ...cells.map((text) => {
          const cell = document.createElement("td");
          cell.textContent = text;
          return cell;
        }),
      );
      return row;
    }),
  );
}

const ticks = { color: SOFT, font: { size: 12 } };
const plain = { legend: { display: false } };

/** Clicks in percent of views, at most 100: a product can be clicked before it counts as seen. */
function clickRate({ views, clicks }) {
  return clicks === 0 ? 0 : Math.min(100, (100 * clicks) / Math.max(1, views));
}

/** Draw the click-through rate at each rank: [{rank, views, clicks}]. */
export function drawRanks(ranks) {
  const few = ranks.length <= MAX_WIDE_BARS;
  draw("ranks", {
    filled: ranks.length > 0,
    labels: ranks.map(({ rank, views, clicks }) => (few ? [String(rank), `${clicks}/${views}`] : String(rank))),
    values: ranks.map(clickRate),
    texts: ranks.map((rank) => `${Math.round(clickRate(rank))} %`),
    colors: BLUE,
    summary: `Click-through by rank: ${ranks.map(({ rank, views, clicks }) => `rank ${rank} ${clicks} of ${views}`).join(", ")}`,
    options: {
      layout: { padding: { top: 18 } },
      scales: {
        x: { grid: { display: false }, ticks, title: { display: true, text: few ? "rank, clicks/views" : "rank", color: SOFT } },
        y: { min: 0, max: 100, grid: { color: GRID }, border: { display: false }, ticks: { ...ticks, stepSize: 25, callback: (value) => `${value} %` } },
      },
      plugins: { ...plain, tooltip: { callbacks: { label: ({ dataIndex }) => `${drawn.ranks.source[dataIndex].clicks} clicks, ${drawn.ranks.source[dataIndex].views} views` } } },
    },
  });
  if (drawn.ranks) drawn.ranks.source = ranks;
  fillTable("ranks", ranks.map(({ rank, views, clicks }) => [rank, views, clicks, percent(clicks, views)]));
}

/** Draw how many products reached each stage: [{stage, count}]. */
export function drawFunnel(funnel) {
  const seen = funnel[0].count;
  draw("funnel", {
    filled: funnel.some(({ count }) => count > 0),
    labels: funnel.map(({ stage }) => stage),
    values: funnel.map(({ count }) => count),
    texts: funnel.map(({ count }, index) => (count === 0 ? "" : index === 0 ||
 seen === 0 ? `${count}` : `${count}, ${percent(count, seen)}`)),
    colors: FUNNEL,
    summary: `From view to purchase: ${funnel.map(({ stage, count }) => `${stage} ${count}`).join(", ")}`,
    options: {
      indexAxis: "y",
      layout: { padding: { right: 76 } },
      scales: {
        x: { min: 0, grid: { color: GRID }, border: { display: false }, ticks: { ...ticks, precision: 0, maxTicksLimit: 6 } },
        y: { grid: { display: false }, ticks: { ...ticks, color: INK } },
      },
      plugins: { ...plain, tooltip: { callbacks: { label: ({ raw }) => `${raw} product${raw === 1 ? "" : "s"}` } } },
    },
  });
  fillTable("funnel", funnel.map(({ stage, count }) => [stage, count, percent(count, seen)]));
}
