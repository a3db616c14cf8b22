export interface Site {
  name: string;
  surcharge: number;
}

export interface Sample {
  id: number;
  barcode: string;
  panel: string;
  received: string;
}

export interface Tube {
  id: number;
  sample: number;
  cap: 'red' | 'lavender' | 'grey' | 'green';
}

export interface Worklist {
  samples: number[];
  seen: number;
}

export interface MonthlyFigures {
  panels: number;
  samples: number;
  sheets: number;
}
